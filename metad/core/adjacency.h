// One link of the routing engine, and what of it outlives the link while it is held: what has been
// told over it, what is to be told (a dirty set per urgency, never a queue) and its barriers.
#pragma once

#include <vector>

#include "metad/core/route_table.h"

namespace wattle::metad {

// What was told over one link of one destination.
struct Told {
  enum class Dirty : std::uint8_t {
    No,
    Calm,
    Urgent,
    Blocked,  // waits for cryptod's acknowledgement
  };
  Distance distance;          // metric kUnreachable: retracted, or never told
  std::uint64_t record = 0;   // the origin record with this seqno went over this link
  std::uint64_t barrier = 0;  // retracted, and the answer to this barrier has not come; 0: settled
  std::uint64_t wanted = 0;   // the neighbour has asked for this seqno, or a newer one
  Dirty dirty = Dirty::No;
  bool first_dump = false;  // our END waits for it

  bool is_settled() const { return distance.metric == kUnreachable && barrier == 0; }
};

struct Adjacency {
  enum class State : std::uint8_t { Free, Syncing, Live, Held };
  State state = State::Free;
  LinkId link = 0;  // 0: taken back from cryptod
  NeighbourId neighbour = kNone;
  std::uint64_t incarnation = 0;
  std::uint64_t order = 0;  // later adjacencies have higher ones
  Instant held_until = kNever;
  bool congested = false;

  // towards Live
  bool synced = false;    // their END came
  bool answered = false;  // they have answered the barrier behind our END
  bool end_sent = false;
  std::size_t first_dump = 0;    // destinations that our END still waits for
  std::uint64_t end_ticket = 0;  // and it waits for tickets up to this one

  // to be told
  std::vector<Told> told;  // by DestinationId; grows on demand
  std::vector<DestinationId> urgent, calm;
  Instant urgent_at = kNever, calm_at = kNever;
  Instant flushed_at{};

  // barriers: at most one outstanding
  std::uint64_t last_barrier = 0;
  bool barrier_outstanding = false;
  std::vector<DestinationId> barrier_covers;  // of the outstanding one
  std::vector<DestinationId> retracted;       // to be covered by the next
  Instant barrier_at = kNever;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> questions;  // theirs: number, ticket

  bool is_linked() const { return state == State::Syncing || state == State::Live; }
  Told& told_of(DestinationId id) {
    if (told.size() <= id) told.resize(id + std::size_t{1});
    return told[id];
  }
  // Puts it into the dirty set. An urgent one overtakes a calm one; what is blocked stays so.
  void mark(DestinationId id, bool urgent_one, Instant now, Duration urgent_gap, Duration calm_gap);
  Instant next_deadline() const;
};

// A member with adjacencies, or whose cost is known.
struct Neighbour {
  NodeAddress address;
  bool used = false;
  Metric cost = kUnreachable;
  bool cost_known = false;
  std::vector<AdjacencyId> adjacencies;
  AdjacencyId effective = kNone;  // whose routes count: the newest live one, else the held one
};

}  // namespace wattle::metad
