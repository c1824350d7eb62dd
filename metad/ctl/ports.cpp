#include "metad/ctl/ports.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>

#include "common/os/fd.h"
#include "common/os/file.h"
#include "common/os/paths.h"
#include "metad/ctl/conf_template.h"
#include "metad/ctl/networks.h"

namespace wattle::ctl {

namespace {

bool can_bind(int family, int type, std::uint16_t port) {
  const os::Fd fd(::socket(family, type | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return errno == EAFNOSUPPORT;
  const int on = 1;
  if (family == AF_INET6) setsockopt(fd.raw(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  // A TCP port whose last connections still fade is free for a listener.
  if (type == SOCK_STREAM) setsockopt(fd.raw(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(port);
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  const bool is_v4 = family == AF_INET;
  const auto* address =
      is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  const socklen_t size = is_v4 ? sizeof v4 : sizeof v6;
  if (bind(fd.raw(), address, size) != 0) return errno == EADDRNOTAVAIL;
  return type != SOCK_STREAM || listen(fd.raw(), 1) == 0;
}

}  // namespace

bool is_port_free(std::uint16_t port) {
  for (const int family : {AF_INET, AF_INET6})
    for (const int type : {SOCK_DGRAM, SOCK_STREAM})
      if (!can_bind(family, type, port)) return false;
  return true;
}

std::set<std::uint16_t> claimed_ports(const std::string& except_network, const std::string& root) {
  std::set<std::uint16_t> out;
  for (const std::string& network : configured_networks(root)) {
    if (network == except_network) continue;
    if (const auto text = os::read_text(os::Paths(network, root).config()))
      if (const auto port = port_of_conf(*text)) out.insert(*port);
  }
  return out;
}

std::uint16_t find_free_port(const std::set<std::uint16_t>& claimed) {
  for (std::uint32_t port = kFirstPort; port <= 65535; ++port) {
    const auto candidate = static_cast<std::uint16_t>(port);
    if (!claimed.contains(candidate) && is_port_free(candidate)) return candidate;
  }
  return 0;
}

}  // namespace wattle::ctl
