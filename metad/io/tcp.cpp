#include "metad/io/tcp.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "common/os/file.h"
#include "common/os/socket_address.h"

namespace wattle::metad {
namespace {

constexpr int kBacklog = 64;

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

Result<os::Fd> make_socket(const Endpoint& endpoint) {
  os::Fd out(::socket(endpoint.address.is_v4() ? AF_INET : AF_INET6,
                      SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!out.is_open()) return os::system_error("socket for " + endpoint.text());
  set_option(out.raw(), IPPROTO_TCP, TCP_NODELAY, 1);
  return out;
}

}  // namespace

Result<os::Fd> listen_tcp(const Endpoint& at) {
  os::Fd out = WATTLE_TRY(make_socket(at));
  set_option(out.raw(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (!at.address.is_v4()) set_option(out.raw(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  sockaddr_storage address{};
  const socklen_t size = os::write_address(at, 0, address);
  if (::bind(out.raw(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    const std::string hint =
        errno == EADDRINUSE ? "; another program has this TCP port: set `port` in wattle.conf" : "";
    return Error(Errc::System, os::system_error("cannot listen on " + at.text()).text() + hint);
  }
  if (::listen(out.raw(), kBacklog) != 0) return os::system_error("cannot listen on " + at.text());
  return out;
}

Result<AcceptedTcp> accept_tcp(int listener) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  AcceptedTcp out;
  out.socket = os::Fd(::accept4(listener, reinterpret_cast<sockaddr*>(&storage), &size,
                                SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!out.socket.is_open()) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ECONNABORTED || errno == EINTR)
      return Errc::Again;
    return os::system_error("accept");
  }
  set_option(out.socket.raw(), IPPROTO_TCP, TCP_NODELAY, 1);
  out.remote = WATTLE_TRY(os::read_address(reinterpret_cast<const sockaddr*>(&storage)));
  return out;
}

Result<os::Fd> connect_tcp(const Endpoint& to) {
  os::Fd out = WATTLE_TRY(make_socket(to));
  sockaddr_storage address{};
  const socklen_t size = os::write_address(to, 0, address);
  if (::connect(out.raw(), reinterpret_cast<const sockaddr*>(&address), size) != 0 &&
      errno != EINPROGRESS)
    return os::system_error("connect to " + to.text());
  return out;
}

IpAddress host_of(const Endpoint& remote) {
  if (remote.address.is_v4()) return remote.address;
  return IpPrefix{remote.address, 64}.network().address;
}

}  // namespace wattle::metad
