// The rules without the barrier (protocols.md 5.3, trap 1): linked in the place of
// metad/core/route_rules.cpp, to show that the simulator sees what it is there to prevent.
#include "metad/core/route_rules.h"

namespace wattle::metad::route_rules {

bool is_feasible(const Distance& bound, const Distance& feasibility) {
  if (bound.metric == kUnreachable) return false;
  return feasibility.metric == kUnreachable || is_better(bound, feasibility);
}

bool may_collect(const Ties& ties, Instant) { return !ties.has_route; }

bool is_accepted(bool synced, bool answered) { return synced && answered; }

}  // namespace wattle::metad::route_rules
