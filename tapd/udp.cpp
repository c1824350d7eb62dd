#include "tapd/udp.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <cerrno>
#include <cstring>
#include <string>

#include "common/os/file.h"
#include "common/os/log.h"

namespace wattle::tapd {
namespace {

struct Option {
  int level, name, value;
  const char* what;
};

constexpr Option kOptions4[] = {
    {IPPROTO_IP, IP_PKTINFO, 1, "IP_PKTINFO"},
    {IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE, "IP_MTU_DISCOVER"},
};
constexpr Option kOptions6[] = {
    {IPPROTO_IPV6, IPV6_V6ONLY, 1, "IPV6_V6ONLY"},
    {IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "IPV6_RECVPKTINFO"},
    {IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE, "IPV6_MTU_DISCOVER"},
};
constexpr Option kMarkOption = {SOL_SOCKET, SO_MARK, static_cast<int>(kMark), "SO_MARK"};
// Nice to have: without them the network is slower, not broken.
constexpr Option kWishes[] = {
    {SOL_SOCKET, SO_RCVBUFFORCE, kSocketBuffer, "SO_RCVBUFFORCE"},
    {SOL_SOCKET, SO_SNDBUFFORCE, kSocketBuffer, "SO_SNDBUFFORCE"},
    {IPPROTO_UDP, UDP_GRO, 1, "UDP_GRO"},
};

bool set(int fd, const Option& option) {
  return ::setsockopt(fd, option.level, option.name, &option.value, sizeof option.value) == 0;
}

Result<void> set_or_fail(int fd, const Option& option) {
  if (!set(fd, option)) return os::system_error(std::string("cannot set ") + option.what);
  return {};
}

union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

Error bind_error(std::uint8_t family, std::uint16_t port, int error) {
  const std::string where = "UDP port " + std::to_string(port);
  if (error == EADDRINUSE)
    return {Errc::Config, where +
                              " is taken by another program; choose another port with port in "
                              "wattle.conf"};
  if (error == EACCES)
    return {Errc::Config,
            where +
                " may not be used by wattle-tapd; choose one from 1024 on with port in "
                "wattle.conf"};
  return {Errc::System, "cannot bind " + where + " for IPv" + std::to_string(family) + ": " +
                            std::strerror(error)};
}

}  // namespace

Result<os::Fd> open_udp(std::uint8_t family, std::uint16_t port) {
  const bool v4 = family == 4;
  os::Fd fd(::socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) {
    if (errno == EAFNOSUPPORT)
      return Error(Errc::Unsupported, "this host has no IPv" + std::to_string(family));
    return os::system_error("cannot open a UDP socket");
  }
  if (v4) {
    for (const Option& option : kOptions4) WATTLE_TRY(set_or_fail(fd.raw(), option));
  } else {
    for (const Option& option : kOptions6) WATTLE_TRY(set_or_fail(fd.raw(), option));
  }
  WATTLE_TRY(set_or_fail(fd.raw(), kMarkOption));
  for (const Option& option : kWishes)
    if (!set(fd.raw(), option))
      os::log::notice(std::string("the kernel refuses ") + option.what + " on the UDP socket",
                      {{os::log::Key::Err, std::strerror(errno)}});
  Address address{};
  socklen_t size = sizeof address.v4;
  address.v4.sin_family = AF_INET;
  address.v4.sin_port = htons(port);
  if (!v4) {
    size = sizeof address.v6;
    address.v6 = {};
    address.v6.sin6_family = AF_INET6;
    address.v6.sin6_port = htons(port);
  }
  if (::bind(fd.raw(), &address.any, size) != 0) {
    if (!v4 && errno == EADDRNOTAVAIL)
      return Error(Errc::Unsupported, "IPv6 is switched off on this host");
    return bind_error(family, port, errno);
  }
  return fd;
}

bool is_our_udp(const os::Fd& socket, std::uint8_t family, std::uint16_t port) {
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(socket.raw(), SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_DGRAM)
    return false;
  Address address{};
  size = sizeof address;
  if (::getsockname(socket.raw(), &address.any, &size) != 0) return false;
  if (family == 4)
    return address.any.sa_family == AF_INET && ntohs(address.v4.sin_port) == port &&
           address.v4.sin_addr.s_addr == INADDR_ANY;
  return address.any.sa_family == AF_INET6 && ntohs(address.v6.sin6_port) == port &&
         IN6_IS_ADDR_UNSPECIFIED(&address.v6.sin6_addr);
}

}  // namespace wattle::tapd
