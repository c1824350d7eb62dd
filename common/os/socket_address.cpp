#include "common/os/socket_address.h"

#include <netinet/in.h>

#include <cerrno>
#include <cstring>

#include "common/os/file.h"

namespace wattle::os {

socklen_t write_address(const Endpoint& to, std::uint32_t interface, sockaddr_storage& out) {
  if (to.address.is_v4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(to.port);
    std::memcpy(&in.sin_addr, to.address.bytes.data(), 4);
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(to.port);
  in.sin6_scope_id = to.address.is_link_local() ? interface : 0;
  std::memcpy(&in.sin6_addr, to.address.bytes.data(), 16);
  std::memcpy(&out, &in, sizeof in);
  return sizeof in;
}

Result<Endpoint> read_address(const sockaddr* from, std::uint32_t* interface) {
  Endpoint out;
  if (from->sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, from, sizeof in);
    out.port = ntohs(in.sin_port);
    std::memcpy(out.address.bytes.data(), &in.sin_addr, 4);
    return out;
  }
  if (from->sa_family != AF_INET6) return Errc::Unsupported;
  sockaddr_in6 in{};
  std::memcpy(&in, from, sizeof in);
  out.address.family = 6;
  out.port = ntohs(in.sin6_port);
  std::memcpy(out.address.bytes.data(), &in.sin6_addr, 16);
  if (interface != nullptr && in.sin6_scope_id != 0) *interface = in.sin6_scope_id;
  return out;
}

Result<Fd> listen_tcp(const Endpoint& at) {
  const int family = at.address.is_v4() ? AF_INET : AF_INET6;
  Fd socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) {
    if (errno == EAFNOSUPPORT) return Error(Errc::Unsupported, "this host has no IPv6");
    return system_error("cannot make a TCP socket");
  }
  const int on = 1;
  setsockopt(socket.raw(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6) setsockopt(socket.raw(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  sockaddr_storage address{};
  const socklen_t size = write_address(at, 0, address);
  if (bind(socket.raw(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    if (errno == EADDRINUSE)
      return Error(Errc::Exists, "another program listens on " + at.text() +
                                     " already: stop it, or change `listen` in registry.conf");
    if (errno == EADDRNOTAVAIL || errno == EAFNOSUPPORT)
      return Error(Errc::Unsupported, "this host has no address " + at.address.text());
    return system_error("cannot listen on " + at.text());
  }
  if (::listen(socket.raw(), SOMAXCONN) != 0) return system_error("cannot listen on " + at.text());
  return socket;
}

}  // namespace wattle::os
