// The rules without the feasibility check: linked in the place of metad/core/route_rules.cpp, to
// show that the simulator sees what it is there to prevent.
#include "metad/core/route_rules.h"

namespace wattle::metad::route_rules {

bool is_feasible(const Distance& bound, const Distance&) { return bound.metric != kUnreachable; }

bool may_collect(const Ties& ties, Instant now) {
  return !ties.has_route && ties.unanswered == 0 && now >= ties.keep_until;
}

bool is_accepted(bool synced, bool answered) { return synced && answered; }

}  // namespace wattle::metad::route_rules
