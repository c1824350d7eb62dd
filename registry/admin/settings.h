// What the wattle-registry command was told, and how its verbs end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/os/paths.h"
#include "registry/core/journal_entry.h"

namespace wattle::registry {

// As metad/ctl/exit_code.h has them for `wattle`; man/wattle-registry.8 has the table.
enum class Exit : std::uint8_t {
  Ok = 0,
  General = 1,
  Usage = 2,
  NotRunning = 3,
  Temporary = 75,
  NotRoot = 77,
  Config = 78,
};

struct Settings {
  // e.g. node, show, alice; or node, rename, alice, carol. The network may stand behind the verb:
  // node, home, show, alice.
  std::string verb, object, detail, value, last;
  std::string network;  // --net
  std::string root;     // --root: before /etc, /var/lib and /run
  std::string prefix, ipv4;
  std::vector<std::string> urls, listen;
  bool no_member = false;
  std::uint64_t prefix_length = 16;
  std::uint64_t expires = 24 * 3600;
  std::uint64_t lifetime = kLifetime;  // of certificates, seconds
  bool relay = false;
  bool approval = false;  // init
  bool approved = false;  // invite
  bool qr = false;        // invite
  bool json = false;
  bool check = false;
  bool journal_lost = false;
  std::string document;  // a file
  bool force = false;
  std::string signer_user, registry_user;
  std::string log_level = "info";
};

inline constexpr std::uint16_t kHttpsPort = 8443;
inline const std::vector<std::string>& default_listen() {
  static const std::vector<std::string> listen{"0.0.0.0:8443", "[::]:8443"};
  return listen;
}

// https://HOST:PORT and no more.
bool is_registry_url(const std::string& text);

// Prints the sentence to stderr.
int fail(Exit code, const std::string& sentence);
int fail(const Error& error);  // with the code that fits the kind of error

// Reads `listen`, `url` and `log-level` from registry.conf into settings where the command line did
// not say them; Config if a line is wrong.
Result<void> read_config(Settings& settings);

// settings.network if it was given; else the only network of which this host has the registry.
// NotFound with a sentence that lists the choices.
Result<std::string> choose_network(const Settings& settings);

}  // namespace wattle::registry
