// What wattle-metad reads before its seal: wattle.conf and command line, genesis, and its state
// folder. Every fault is one sentence that names the file and what to do.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/os/log.h"
#include "metad/core/setup.h"
#include "metad/io/tls.h"

namespace wattle::metad {

struct Config {
  std::string network;
  std::string genesis;       // file
  std::string state_folder;  // /var/lib/wattle/NET/meta
  std::string run_folder;    // /run/wattle/NET
  std::uint16_t port = 8737;
  std::vector<Endpoint> own_endpoints;
  std::vector<Endpoint> connect;
  std::uint32_t options = 0;  // kOptionIndirect, kOptionTcpOnly
  bool transit = true;        // `relay = no`: false
  os::log::Level level = os::log::Level::Info;
};

// Nothing: --help, --version or --requests was asked for, and printed.
Result<std::optional<Config>> load_config(int argc, const char* const* argv);

struct LoadedMembership {
  Setup setup;
  TlsContext::Material tls;
  ByteArray<32> https_key{};
  std::vector<std::string> registries;  // URLs of the stored document
};
// Genesis, certificate and credential (the newest pair: of join or of a renewal), checked against
// each other; the peers file and the document, if they are there. A certificate that has ended is
// an error only after the grace in which it can still be renewed.
Result<LoadedMembership> load_membership(const Config& config, UnixTime now);

// Lines `NAME ADDRESS ENDPOINT...`; malformed ones are left out.
std::vector<PeerHint> parse_peers(std::string_view text);

}  // namespace wattle::metad
