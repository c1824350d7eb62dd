// A way to a peer. Direct: where its datagrams come from and which of our addresses they reach.
// Routed: through whichever neighbour the forwarding table names, again at every send. Carried: as
// PACKET over the peer's own meta link, the last resort; only neighbours have it.
#pragma once

#include "common/net/endpoint.h"

namespace wattle::cryptod {

enum class PathKind : std::uint8_t { Direct, Routed, Carried };

struct Path {
  PathKind kind = PathKind::Direct;
  Endpoint remote;              // these three: only Direct
  IpAddress local;              // unspecified: kernel's choice
  std::uint32_t interface = 0;  // only kept for link-local remotes

  static Path direct(const Endpoint& remote, const IpAddress& local = {},
                     std::uint32_t interface = 0) {
    return {PathKind::Direct, remote, local, interface};
  }
  static Path routed() { return {PathKind::Routed, {}, {}, 0}; }
  static Path carried() { return {PathKind::Carried, {}, {}, 0}; }
  bool is_direct() const { return kind == PathKind::Direct; }

  auto operator<=>(const Path&) const = default;
};

}  // namespace wattle::cryptod
