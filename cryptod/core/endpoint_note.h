// Endpoint information (inner type 5, Anode's EPI): where its sender may be reached straight.
//   count u8 (1..8) || count endpoints (Anode's form) || mode u8
// Whoever gets it answers in kind and opens its NAT for these places (punch_desk.h).
#pragma once

#include <optional>
#include <vector>

#include "common/net/endpoint.h"

namespace wattle::cryptod {

enum class PunchMode : std::uint8_t {
  Simultaneous = 1,  // both begin when they have heard of each other's endpoints
  Changing = 2,      // the same, and the sender's NAT gives each destination another port
};

struct EndpointNote {
  static constexpr std::size_t kMost = 8;

  std::vector<Endpoint> endpoints;
  PunchMode mode = PunchMode::Simultaneous;

  bool operator==(const EndpointNote&) const = default;
};

std::optional<EndpointNote> parse_endpoint_note(ByteView body);
// At most kMost endpoints, at least one.
Bytes build_endpoint_note(const EndpointNote& note);

}  // namespace wattle::cryptod
