#include "common/os/socket_address.h"

#include <netinet/in.h>

#include <cstring>

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

}  // namespace wattle::os
