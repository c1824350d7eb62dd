#include "metad/core/router.h"

#include <algorithm>

namespace wattle::metad {

Router::Router(Config config) : config_(std::move(config)) {
  table_.create(config_.own, kMaxDestinations);  // number kOwn
}

// The route stands as one of its next hop, held. What that neighbour told is not known, but that it
// was better than both distances here.
void Router::restore(const NodeAddress& destination, const TableEntry& entry, Instant now) {
  if (destination == config_.own || entry.state == TableEntry::State::Forgotten) return;
  if (table_.find(destination)) return;
  const auto id = table_.create(destination, kMaxDestinations);
  if (!id) return;
  Destination& d = table_[*id];
  d.feasibility = entry.feasibility;
  d.keep_until = now + kCollect;
  d.entry = entry;
  d.entry.ticket = 0;
  d.ever_routed = entry.state == TableEntry::State::Reachable;
  Metric bound = entry.chosen.metric;
  if (d.feasibility.metric != kUnreachable && d.feasibility.seqno == entry.chosen.seqno) {
    bound = std::min(bound, d.feasibility.metric);
  }
  const bool usable = entry.state == TableEntry::State::Reachable && bound > 0 &&
                      entry.chosen.metric != kUnreachable && entry.next_hop != config_.own;
  if (!usable) return reselect(*id, now);
  const NeighbourId neighbour = neighbour_of(entry.next_hop);
  AdjacencyId held = kNone;
  for (const AdjacencyId a : neighbours_[neighbour].adjacencies) {
    if (adjacencies_[a].link == 0) held = a;
  }
  if (held == kNone) {
    if (!neighbours_[neighbour].cost_known) neighbours_[neighbour].cost = kAssumedCost;
    held = make_adjacency(neighbour);
    adjacencies_[held].state = Adjacency::State::Held;
    adjacencies_[held].held_until = now + kHold;
    change_adjacencies(neighbour, {}, What::LostNextHop, now);
  }
  table_[*id].routes.push_back(
      {held, {entry.chosen.seqno, bound - 1}, bound - 1, entry.chosen.metric});
  reselect(*id, now);
}

Router::Verdict Router::update(LinkId link, const NodeAddress& destination,
                               const Distance& distance, Instant now, bool news) {
  if (distance.metric == kUnreachable) return retraction(link, destination, now);
  const AdjacencyId adjacency = find_link(link);
  if (adjacency == kNone || distance.seqno == 0) return Verdict::Ignored;
  if (destination == config_.own) {
    // A newer one than ours: of a past life whose counter was lost.
    if (distance.seqno > own_seqno_ && own_seqno_ != 0) raise(distance.seqno + 1, now);
    return Verdict::Ignored;
  }
  const auto id = table_.create(destination, kMaxDestinations);
  if (!id) return Verdict::Full;
  ToldRoute* route = table_[*id].find_route(adjacency);
  if (!route) {
    table_[*id].routes.push_back({adjacency, distance, distance.metric, 0});
  } else {
    const bool same = route->told.seqno == distance.seqno;
    route->bound = same ? std::min(route->bound, distance.metric) : distance.metric;
    route->told = distance;
  }
  if (news) table_[*id].news = std::max(table_[*id].news, distance.seqno);
  reselect(*id, now);
  route = table_[*id].find_route(adjacency);
  Destination& d = table_[*id];
  if (is_feasible(d, *route)) return Verdict::Stored;
  if (!d.is_reachable() && d.ask_at != kNever) {  // somebody new to ask
    d.ask_at = std::min(d.ask_at, std::max(now, d.asked_at + kAskSpacing));
    schedule(*id, now);
  }
  return Verdict::Unfeasible;
}

Router::Verdict Router::retraction(LinkId link, const NodeAddress& destination, Instant now) {
  const AdjacencyId adjacency = find_link(link);
  const auto id = table_.find(destination);
  if (adjacency == kNone || !id || !table_[*id].remove_route(adjacency)) return Verdict::Ignored;
  reselect(*id, now);
  return Verdict::Stored;
}

void Router::tick(Instant now) {
  for (AdjacencyId id = 0; id < adjacencies_.size(); ++id) {
    if (adjacencies_[id].state == Adjacency::State::Held && adjacencies_[id].held_until <= now) {
      change_adjacencies(adjacencies_[id].neighbour, {id}, What::HeldEnded, now);
    }
  }
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const DestinationId id = timers_.begin()->second;
    timers_.erase(timers_.begin());
    table_[id].due = kNever;
    if (table_[id].ask_at <= now) ask(id, now);
    if (table_[id].spread_at <= now) {
      table_[id].spread_at = kNever;
      if (id != kOwn) stand(id);
      mark_all(id, false, now);
    }
    reselect(id, now);
  }
  for (AdjacencyId id = 0; id < adjacencies_.size(); ++id) flush(id, now);
}

Instant Router::next_deadline() const {
  Instant at = timers_.empty() ? kNever : timers_.begin()->first;
  for (const Adjacency& a : adjacencies_) at = std::min(at, a.next_deadline());
  return at;
}

std::vector<RouterAction> Router::take() { return std::exchange(actions_, {}); }

}  // namespace wattle::metad
