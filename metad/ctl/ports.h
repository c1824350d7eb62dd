// Which data port a new network gets: the first from 8737 on that nobody has, for UDP and TCP
// alike.
#pragma once

#include <cstdint>
#include <set>
#include <string>

namespace wattle::ctl {

inline constexpr std::uint16_t kFirstPort = 8737;

// True if UDP and TCP could be bound on every address of both families (IPv6 only where the host
// has it).
bool is_port_free(std::uint16_t port);
// Ports that the other networks' wattle.conf claim, running or not.
std::set<std::uint16_t> claimed_ports(const std::string& except_network,
                                      const std::string& root = {});
// 0 if there is none up to 65535.
std::uint16_t find_free_port(const std::set<std::uint16_t>& claimed);

}  // namespace wattle::ctl
