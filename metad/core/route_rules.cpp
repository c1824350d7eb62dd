#include "metad/core/route_rules.h"

namespace wattle::metad::route_rules {

bool is_feasible(const Distance& bound, const Distance& feasibility) {
  if (bound.metric == kUnreachable) return false;
  return feasibility.metric == kUnreachable || is_better(bound, feasibility);
}

bool may_collect(const Ties& ties, Instant now) {
  return !ties.has_route && ties.unanswered == 0 && now >= ties.keep_until;
}

bool is_accepted(bool synced, bool answered) { return synced && answered; }

}  // namespace wattle::metad::route_rules
