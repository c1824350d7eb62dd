// Selection, feasibility distances, the lines of cryptod's table, collection.
#include <algorithm>

#include "metad/core/route_rules.h"
#include "metad/core/router.h"

namespace wattle::metad {

namespace {

constexpr bool is_clearly_better(Metric a, Metric b) {
  return a < b && b - a >= std::max<Metric>(8, b / 16);
}

}  // namespace

// Smaller changes of a metric are not worth a line on every link of the network.
bool Router::has_moved(const Destination& d) {
  const Metric a = d.standing.metric, b = d.chosen.metric;
  return (a < b ? b - a : a - b) > std::max<Metric>(8, a / 8);
}

NeighbourId Router::neighbour_of(const ToldRoute& route) const {
  return adjacencies_[route.adjacency].neighbour;
}

bool Router::is_usable(const ToldRoute& route) const {
  const Neighbour& neighbour = neighbours_[neighbour_of(route)];
  return neighbour.effective == route.adjacency && neighbour.cost != kUnreachable;
}

bool Router::is_feasible(const Destination& d, const ToldRoute& route) const {
  return route_rules::is_feasible(route.bound_distance(), d.feasibility);
}

Metric Router::whole_metric(const ToldRoute& route) const {
  if (route.whole != 0) return route.whole;
  const std::uint64_t sum =
      std::uint64_t{route.told.metric} + neighbours_[neighbour_of(route)].cost;
  return static_cast<Metric>(std::min<std::uint64_t>(sum, kUnreachable));
}

// The route to use from now on, or null. Keeps the one in use until another one has been clearly
// better for kBetterFor.
const ToldRoute* Router::choose(Destination& d, Instant now) const {
  const ToldRoute* best = nullptr;
  const ToldRoute* current = nullptr;
  for (const ToldRoute& route : d.routes) {
    if (!is_usable(route) || !is_feasible(d, route) || whole_metric(route) == kUnreachable)
      continue;
    if (neighbour_of(route) == d.next_hop) current = &route;
    if (!best || whole_metric(route) < whole_metric(*best)) best = &route;
  }
  if (!current) {
    d.better_since = Instant{};
    return best;
  }
  if (best == current || !is_clearly_better(whole_metric(*best), whole_metric(*current))) {
    d.better_since = Instant{};
    return current;
  }
  if (d.better_since == Instant{}) d.better_since = now;
  if (now - d.better_since < kBetterFor) return current;
  d.better_since = Instant{};
  return best;
}

void Router::note(Destination& d, What what, NeighbourId from, NeighbourId to, Instant now) {
  if (what == What::AskedSeqno && !d.history.empty() && d.history.back().what == what) return;
  RouteEvent event{what, now, {}, {}, d.chosen.metric};
  if (from != kNone) event.from = neighbours_[from].address;
  if (to != kNone) event.to = neighbours_[to].address;
  if (d.history.size() >= kHistory) d.history.erase(d.history.begin());
  d.history.push_back(event);
}

void Router::reselect(DestinationId id, Instant now, What what) {
  Destination& d = table_[id];
  if (!d.used || id == kOwn) return;
  const NeighbourId before = d.next_hop;
  const ToldRoute* route = choose(d, now);
  const NeighbourId after = route ? neighbour_of(*route) : kNone;
  bool before_lost = before != kNone;
  for (const ToldRoute& r : d.routes) {
    if (before_lost && neighbour_of(r) == before && is_usable(r) && is_feasible(d, r))
      before_lost = false;
  }
  d.next_hop = after;
  d.chosen = route ? Distance{route->told.seqno, whole_metric(*route)} : Distance{};
  if (before != after) {
    if (what == What::HeldEnded && before_lost) note(d, What::HeldEnded, before, kNone, now);
    if (after == kNone) {
      note(d, What::Unreachable, before, after, now);
    } else if (before == kNone) {
      note(d, d.ever_routed ? What::Restored : What::First, before, after, now);
    } else {
      note(d, before_lost ? What::LostNextHop : What::Better, before, after, now);
    }
  }
  if (after == kNone) {
    d.standing = {};
    d.spread_at = kNever;
    d.better_since = Instant{};
    refresh_entry(id, false);
    if (before != kNone) {
      d.ask_wait = kAskFirst;
      mark_all(id, true, now);
    }
  } else {
    d.ever_routed = true;
    if (d.standing.metric == kUnreachable) {
      stand(id);
      mark_all(id, true, now);
    } else {
      refresh_entry(id, false);
      if (has_moved(d)) mark_all(id, false, now);
      if (d.chosen.seqno != d.standing.seqno) tell_newer(id, now);
    }
  }
  plan_ask(id, now);
  if (!try_collect(id, now)) schedule(id, now);
}

// What we are going to tell: the feasibility distance follows at once, and the telling waits until
// cryptod has it.
void Router::stand(DestinationId id) {
  Destination& d = table_[id];
  if (d.standing.seqno != d.chosen.seqno) d.spread_at = kNever;
  d.standing = d.chosen;
  if (config_.transit && is_better(d.standing, d.feasibility)) d.feasibility = d.standing;
  refresh_entry(id, true);
}

NeighbourId Router::choose_alternate(const Destination& d) const {
  const ToldRoute* best = nullptr;
  for (const ToldRoute& route : d.routes) {
    if (neighbour_of(route) == d.next_hop || !is_usable(route) || !is_feasible(d, route)) continue;
    if (neighbour_of(route) == d.alternate) return d.alternate;
    if (!best || whole_metric(route) < whole_metric(*best)) best = &route;
  }
  return best ? neighbour_of(*best) : kNone;
}

void Router::refresh_entry(DestinationId id, bool distance_changed) {
  Destination& d = table_[id];
  TableEntry entry;
  entry.feasibility = d.feasibility;
  d.alternate = d.is_reachable() ? choose_alternate(d) : kNone;
  if (d.is_reachable()) {
    entry.state = TableEntry::State::Reachable;
    entry.next_hop = neighbours_[d.next_hop].address;
    if (d.alternate != kNone) entry.alternate = neighbours_[d.alternate].address;
    // A metric that wavers is no news to cryptod.
    entry.chosen =
        distance_changed || d.entry.state != entry.state || d.entry.next_hop != entry.next_hop
            ? d.chosen
            : d.entry.chosen;
  } else if (d.feasibility.metric != kUnreachable) {
    entry.state = TableEntry::State::Unreachable;
  }
  entry.ticket = d.entry.ticket;
  if (entry == d.entry) return;
  d.entry = entry;
  if (!d.acknowledged) tickets_.erase(d.entry.ticket);
  d.entry.ticket = ++last_ticket_;
  if (cryptod_) {
    if (d.acknowledged) {
      d.acknowledged = false;
      d.oldest_unacknowledged = d.entry.ticket;
      waiting_.emplace(d.entry.ticket, id);
    }
    tickets_.emplace(d.entry.ticket, id);
  }
  actions_.push_back(TableChanged{d.address});
}

void Router::schedule(DestinationId id, Instant now) {
  Destination& d = table_[id];
  Instant due = d.ask_at;
  due = std::min(due, d.spread_at);
  if (d.better_since != Instant{}) due = std::min(due, d.better_since + kBetterFor);
  if (d.routes.empty() && d.told_on == 0 && d.acknowledged) {
    due = std::min(due, std::max(now, d.keep_until));
  }
  if (due == d.due) return;
  if (d.due != kNever) timers_.erase({d.due, id});
  d.due = due;
  if (due != kNever) timers_.emplace(due, id);
}

bool Router::try_collect(DestinationId id, Instant now) {
  Destination& d = table_[id];
  if (id == kOwn || !d.acknowledged) return false;
  if (!route_rules::may_collect({!d.routes.empty(), d.told_on, d.keep_until}, now)) {
    schedule(id, now);
    return false;
  }
  if (d.due != kNever) timers_.erase({d.due, id});
  for (Adjacency& a : adjacencies_) {
    if (a.told.size() <= id) continue;
    if (a.told[id].first_dump) --a.first_dump;
    a.told[id] = Told{};
  }
  const bool told = d.entry.state != TableEntry::State::Forgotten;
  const NodeAddress address = d.address;
  table_.remove(id);
  if (told) actions_.push_back(TableChanged{address});
  return true;
}

}  // namespace wattle::metad
