// What tapd is told: its command line, its three keys of wattle.conf and its three of member.conf.
// The files are lists of `key = value` as Boost.Program_options reads them (# comments); keys of
// other programs are passed over. tapd reads them itself so that it needs no Boost. Pure: text in,
// Settings out; every error is Errc::Config with file and line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/net/ip_address.h"
#include "common/net/mac_address.h"
#include "common/os/log.h"

namespace wattle::tapd {

inline constexpr std::uint16_t kDefaultPort = 8737;
inline constexpr std::uint16_t kMinMtu = 576;
inline constexpr std::uint16_t kMaxMtu = 9000;
inline constexpr std::uint16_t kMinIpv6Mtu = 1280;  // below it the kernel has no IPv6 on a device

// A value that the command line has set is not changed by the file.
struct CommandLine {
  enum class Action { Run, Check, Help, Version };
  Action action = Action::Run;
  std::string network;
  std::string config, member, crypto_socket;  // empty: the network's own places
  std::optional<std::string> device;
  std::optional<os::log::Level> log_level;
  std::optional<std::uint16_t> mtu, port;
};

struct Settings {
  std::string device;
  std::uint16_t mtu = 1420;
  std::uint16_t port = kDefaultPort;
  os::log::Level log_level = os::log::Level::Info;
  MacAddress mac;
  std::optional<IpPrefix> ipv4, ipv6;  // own address and the network's prefix length
};

// One `key = value` of a file.
struct Entry {
  std::string_view key, value;
  unsigned line = 0;
};

// Every entry, in order; views into `text`. BadSyntax in words if a line is none.
Result<std::vector<Entry>> parse_entries(std::string_view text, std::string_view file);

Result<CommandLine> parse_command_line(const std::vector<std::string_view>& arguments);

// `config` may be empty (no file: defaults); `member` may not: mac and ipv4 or ipv6 must be there.
Result<Settings> make_settings(const CommandLine& command, std::string_view config,
                               std::string_view config_file, std::string_view member,
                               std::string_view member_file);

std::string help_text();

}  // namespace wattle::tapd
