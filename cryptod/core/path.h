// A way to a peer: where its datagrams come from and which of our addresses they reach.
#pragma once

#include "common/net/endpoint.h"

namespace wattle::cryptod {

struct Path {
  Endpoint remote;
  IpAddress local;              // unspecified: kernel's choice
  std::uint32_t interface = 0;  // only kept for link-local remotes

  auto operator<=>(const Path&) const = default;
};

}  // namespace wattle::cryptod
