#include "metad/core/adjacency.h"

#include <algorithm>

namespace wattle::metad {

void Adjacency::mark(DestinationId id, bool urgent_one, Instant now, Duration urgent_gap,
                     Duration calm_gap) {
  Told& t = told_of(id);
  if (t.dirty == Told::Dirty::Blocked || t.dirty == Told::Dirty::Urgent) return;
  if (urgent_one) {
    t.dirty = Told::Dirty::Urgent;
    urgent.push_back(id);
    urgent_at = std::min(urgent_at, std::max(now, flushed_at + urgent_gap));
  } else if (t.dirty == Told::Dirty::No) {
    t.dirty = Told::Dirty::Calm;
    calm.push_back(id);
    calm_at = std::min(calm_at, now + calm_gap);
  }
}

Instant Adjacency::next_deadline() const {
  Instant at = held_until;
  if (is_linked() && !congested) at = std::min({at, urgent_at, calm_at});
  if (end_sent && is_linked() && !barrier_outstanding) at = std::min(at, barrier_at);
  return at;
}

}  // namespace wattle::metad
