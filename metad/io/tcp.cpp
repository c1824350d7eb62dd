#include "metad/io/tcp.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "common/os/file.h"

namespace wattle::metad {
namespace {

constexpr int kBacklog = 64;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress to_sockaddr(const Endpoint& endpoint) {
  SocketAddress out;
  if (endpoint.address.is_v4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(endpoint.port);
    std::memcpy(&in.sin_addr, endpoint.address.bytes.data(), 4);
    std::memcpy(&out.storage, &in, sizeof in);
    out.size = sizeof in;
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(endpoint.port);
    std::memcpy(&in.sin6_addr, endpoint.address.bytes.data(), 16);
    std::memcpy(&out.storage, &in, sizeof in);
    out.size = sizeof in;
  }
  return out;
}

Endpoint to_endpoint(const sockaddr_storage& storage) {
  Endpoint out;
  if (storage.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &storage, sizeof in);
    ByteArray<4> bytes{};
    std::memcpy(bytes.data(), &in.sin_addr, 4);
    out.address = IpAddress::v4(bytes);
    out.port = ntohs(in.sin_port);
  } else {
    sockaddr_in6 in{};
    std::memcpy(&in, &storage, sizeof in);
    ByteArray<16> bytes{};
    std::memcpy(bytes.data(), &in.sin6_addr, 16);
    out.address = IpAddress::v6(bytes);
    out.port = ntohs(in.sin6_port);
  }
  return out;
}

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
  const SocketAddress address = to_sockaddr(at);
  if (::bind(out.raw(), address.get(), address.size) != 0) {
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
  out.remote = to_endpoint(storage);
  return out;
}

Result<os::Fd> connect_tcp(const Endpoint& to) {
  os::Fd out = WATTLE_TRY(make_socket(to));
  const SocketAddress address = to_sockaddr(to);
  if (::connect(out.raw(), address.get(), address.size) != 0 && errno != EINPROGRESS)
    return os::system_error("connect to " + to.text());
  return out;
}

}  // namespace wattle::metad
