// Words of the routing engine (metad/core/router.h): distances, the line of cryptod's table, what
// is told about a route.
#pragma once

#include <cstdint>
#include <optional>

#include "common/proto/node_address.h"
#include "metad/core/ids.h"

namespace wattle::metad {

using Metric = std::uint32_t;
inline constexpr Metric kUnreachable = UINT32_MAX;

// Seqnos are 64 bits, compared plainly (DESIGN 6).
struct Distance {
  std::uint64_t seqno = 0;
  Metric metric = kUnreachable;
  bool operator==(const Distance&) const = default;
};
constexpr bool is_better(const Distance& a, const Distance& b) {
  return a.seqno > b.seqno || (a.seqno == b.seqno && a.metric < b.metric);
}

// A line of the forwarding table as cryptod gets it (ipc::meta_link RouteEntry).
struct TableEntry {
  enum class State : std::uint8_t { Reachable, Unreachable, Forgotten };
  State state = State::Forgotten;
  Distance feasibility;  // metric kUnreachable: none
  Distance chosen;       // whole metric of the route in use
  NodeAddress next_hop;
  std::optional<NodeAddress> alternate;  // another feasible neighbour
  std::uint64_t ticket = 0;
  bool operator==(const TableEntry&) const = default;
};

// Everything that is known about the ways to one destination, for DUMP ROUTES and `wattle why`.
struct Candidate {
  NodeAddress neighbour;
  LinkId link = 0;  // 0: taken back from cryptod after a restart
  Distance told;    // as the neighbour told it
  Metric cost = 0;  // of the link to it; kUnreachable: its data path is down
  bool feasible = false;
  bool selected = false;
  bool held = false;
};
struct RouteEvent {  // the last kHistory decisions of a destination
  enum class What : std::uint8_t {
    First,        // the first way
    Better,       // a clearly better one, for long enough
    LostNextHop,  // the one in use ended; another feasible one took its place
    Unreachable,  // it ended, and no feasible one is left
    Restored,     // reachable again
    AskedSeqno,   // only unfeasible ones: a newer seqno was asked for
    HeldEnded,    // a held link did not come back in time
  };
  What what = What::First;
  Instant at{};
  NodeAddress from, to;  // next hops before and after; all zero: none
  Metric metric = kUnreachable;
};

}  // namespace wattle::metad
