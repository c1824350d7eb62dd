// The three rules on which freedom from loops rests, by themselves, so that the simulator can take
// one out and see the loops come (tests/sim).
//
// Why there is none: along every chain of next hops the feasibility distances get strictly better.
//  - Whoever announces a distance has a feasibility distance that is no worse, and keeps one no
//    worse, whatever it announces later, until it retracts or raises the seqno (which is better).
//    So the best distance that a neighbour has told since its last retraction (`bound`) is an upper
//    bound of its feasibility distance: a neighbour whose metric merely grows stays safe to use.
//  - We use a neighbour only if that bound is strictly better than our own feasibility distance.
//  - We forget our feasibility distance only when nobody can still rely on it.
#pragma once

#include "metad/core/route_types.h"

namespace wattle::metad::route_rules {

// RFC 8966 3.5.1, strict.
bool is_feasible(const Distance& bound, const Distance& feasibility);

// What stands in the way of forgetting a destination with its feasibility distance
// (protocols.md 5.3, trap 1).
struct Ties {
  bool has_route = false;   // (a) a route for it is left, used or not
  unsigned unanswered = 0;  // (b) links told of it that have not answered a barrier sent after the
                            // retraction
  Instant keep_until{};     // (c) 200 s after such a link ended
};
bool may_collect(const Ties& ties, Instant now);

// A neighbour is used, and its packets are forwarded, only when its END came and it has answered
// the barrier sent behind ours: by then it has dropped whatever it held of our past incarnation.
bool is_accepted(bool synced, bool answered);

}  // namespace wattle::metad::route_rules
