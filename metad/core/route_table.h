// The destinations of the routing engine, with what every adjacency has told of them. Values with
// dense numbers, so that dirty sets and timers are small and everything can be copied. Bounded:
// kMaxDestinations.
#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "metad/core/route_types.h"

namespace wattle::metad {

using DestinationId = std::uint32_t;
using AdjacencyId = std::uint32_t;
using NeighbourId = std::uint32_t;
inline constexpr std::uint32_t kNone = UINT32_MAX;

// Addresses are keys that the registry has let in, and there are few of them.
struct AddressHash {
  std::size_t operator()(const NodeAddress& address) const {
    return std::hash<std::string_view>{}(
        {reinterpret_cast<const char*>(address.bytes.data()), address.bytes.size()});
  }
};

struct ToldRoute {  // what one adjacency tells of one destination; never unreachable
  AdjacencyId adjacency = kNone;
  Distance told;
  Metric bound = kUnreachable;  // the best metric told with this seqno since its last retraction
  Metric whole = 0;             // taken back from cryptod: the whole metric; else 0
  Distance bound_distance() const { return {told.seqno, bound}; }
};

struct Destination {
  NodeAddress address;
  bool used = false;  // the number is taken
  std::vector<ToldRoute> routes;

  Distance feasibility;  // RFC 8966's source entry; metric kUnreachable: none
  unsigned told_on = 0;  // links told of it that have not answered a barrier after a retraction
  Instant keep_until{};

  NeighbourId next_hop = kNone;  // of the route in use
  NeighbourId alternate = kNone;
  Distance chosen;    // of the route in use
  Distance standing;  // what the links are told: follows `chosen`, but not every small change
  bool ever_routed = false;
  Instant better_since{};  // a clearly better one has been there since; zero: none

  TableEntry entry;  // as cryptod was last told to have it
  bool acknowledged = true;
  std::uint64_t oldest_unacknowledged = 0;  // its place among the waiting tickets

  std::uint64_t news = 0;      // the record with this seqno says something new: all are told soon
  bool is_wanted = false;      // some link has asked for a newer seqno (Told::wanted)
  Instant spread_at = kNever;  // a mere new seqno is told to all by then

  Instant ask_at = kNever;  // for a newer seqno, next time
  Duration ask_wait{};
  Instant asked_at{};
  std::uint64_t forwarded = 0;  // the seqno of the last request passed on, to suppress duplicates
  Instant forwarded_until{};

  Instant due = kNever;  // its place among the timers
  std::vector<RouteEvent> history;

  bool is_reachable() const { return next_hop != kNone; }
  ToldRoute* find_route(AdjacencyId adjacency);
  const ToldRoute* find_route(AdjacencyId adjacency) const;
  bool remove_route(AdjacencyId adjacency);
};

class RouteTable {
 public:
  std::optional<DestinationId> find(const NodeAddress& address) const;
  std::optional<DestinationId> create(const NodeAddress& address, std::size_t limit);
  void remove(DestinationId id);

  Destination& operator[](DestinationId id) { return slots_[id]; }
  const Destination& operator[](DestinationId id) const { return slots_[id]; }
  std::size_t slots() const { return slots_.size(); }  // numbers below this may be in use

 private:
  std::vector<Destination> slots_;
  std::vector<DestinationId> free_;
  std::unordered_map<NodeAddress, DestinationId, AddressHash> by_address_;
};

}  // namespace wattle::metad
