// Links, adjacencies and neighbours of the routing engine.
#include <algorithm>

#include "metad/core/route_rules.h"
#include "metad/core/router.h"

namespace wattle::metad {

AdjacencyId Router::find_link(LinkId link) const {
  const auto at = links_.find(link);
  return at == links_.end() ? kNone : at->second;
}

NeighbourId Router::neighbour_of(const NodeAddress& address) {
  if (const auto at = neighbour_ids_.find(address); at != neighbour_ids_.end()) return at->second;
  NeighbourId id = 0;
  if (free_neighbours_.empty()) {
    id = static_cast<NeighbourId>(neighbours_.size());
    neighbours_.emplace_back();
  } else {
    id = free_neighbours_.back();
    free_neighbours_.pop_back();
  }
  neighbours_[id] = Neighbour{};
  neighbours_[id].address = address;
  neighbours_[id].used = true;
  neighbour_ids_.emplace(address, id);
  return id;
}

AdjacencyId Router::make_adjacency(NeighbourId neighbour) {
  AdjacencyId id = 0;
  if (free_adjacencies_.empty()) {
    id = static_cast<AdjacencyId>(adjacencies_.size());
    adjacencies_.emplace_back();
  } else {
    id = free_adjacencies_.back();
    free_adjacencies_.pop_back();
  }
  adjacencies_[id] = Adjacency{};
  adjacencies_[id].neighbour = neighbour;
  adjacencies_[id].order = ++last_order_;
  neighbours_[neighbour].adjacencies.push_back(id);
  return id;
}

bool Router::is_counted(const Neighbour& neighbour) const { return neighbour.effective != kNone; }

void Router::link_up(LinkId link, const NodeAddress& address, std::uint64_t incarnation,
                     Instant now) {
  if (address == config_.own || links_.size() >= kMaxLinks || links_.contains(link)) return;
  const NeighbourId neighbour = neighbour_of(address);
  // A restored adjacency does not know its neighbour's incarnation; it is swept at the END.
  Ids strangers;
  for (const AdjacencyId other : neighbours_[neighbour].adjacencies) {
    const Adjacency& a = adjacencies_[other];
    const bool restored = a.link == 0;
    if (incarnation == 0 || (!restored && a.incarnation != incarnation)) strangers.push_back(other);
  }
  const AdjacencyId id = make_adjacency(neighbour);
  Adjacency& a = adjacencies_[id];
  a.state = Adjacency::State::Syncing;
  a.link = link;
  a.incarnation = incarnation;
  links_.emplace(link, id);
  if (!strangers.empty()) change_adjacencies(neighbour, strangers, What::LostNextHop, now);
  for (DestinationId d = 0; d < table_.slots(); ++d) {
    const bool known = d == kOwn ? own_seqno_ != 0 : config_.transit && table_[d].is_reachable();
    if (!known) continue;
    a.mark(d, true, now, kUrgent, kCalm);
    a.told[d].first_dump = true;
    ++a.first_dump;
  }
  a.end_ticket = last_ticket_;
  a.urgent_at = now;
}

void Router::link_synced(LinkId link, Instant now) {
  const AdjacencyId id = find_link(link);
  if (id == kNone || adjacencies_[id].synced) return;
  adjacencies_[id].synced = true;
  // A neighbour that we have been with all along has nothing of a past incarnation of ours.
  if (neighbours_[adjacencies_[id].neighbour].effective != kNone) adjacencies_[id].answered = true;
  try_accept(id, now);
}

void Router::barrier_answer(LinkId link, std::uint64_t number, Instant now) {
  const AdjacencyId id = find_link(link);
  if (id == kNone) return;
  Adjacency& a = adjacencies_[id];
  if (!a.barrier_outstanding || number != a.last_barrier) return;
  a.barrier_outstanding = false;
  a.answered = true;
  std::vector<DestinationId> covered = std::move(a.barrier_covers);
  a.barrier_covers.clear();
  for (const DestinationId d : covered) {
    Told& told = a.told[d];
    if (told.distance.metric != kUnreachable || told.barrier == 0 || told.barrier > number)
      continue;
    told.barrier = 0;
    --table_[d].told_on;
    try_collect(d, now);
  }
  try_accept(id, now);
}

void Router::try_accept(AdjacencyId id, Instant now) {
  Adjacency& a = adjacencies_[id];
  if (a.state != Adjacency::State::Syncing) return;
  if (!route_rules::is_accepted(a.synced, a.answered)) return;
  a.state = Adjacency::State::Live;
  Ids swept;
  for (const AdjacencyId other : neighbours_[a.neighbour].adjacencies) {
    if (adjacencies_[other].state == Adjacency::State::Held) swept.push_back(other);
  }
  change_adjacencies(a.neighbour, swept, What::LostNextHop, now);
}

void Router::link_down(LinkId link, bool hold, Instant now) {
  const AdjacencyId id = find_link(link);
  if (id == kNone) return;
  Adjacency& a = adjacencies_[id];
  const Neighbour& neighbour = neighbours_[a.neighbour];
  hold = hold && a.state == Adjacency::State::Live && neighbour.effective == id &&
         neighbour.cost != kUnreachable;
  for (const AdjacencyId other : neighbour.adjacencies) {
    if (other != id && adjacencies_[other].state == Adjacency::State::Live) hold = false;
  }
  if (!hold) {
    change_adjacencies(a.neighbour, {id}, What::LostNextHop, now);
    return;
  }
  leave_link(id, now);
  a.state = Adjacency::State::Held;
  a.held_until = now + kHold;
}

// What was told over the link, and not taken back with a barrier, binds us for 200 s more.
void Router::leave_link(AdjacencyId id, Instant now) {
  Adjacency& a = adjacencies_[id];
  if (!a.is_linked()) return;
  links_.erase(a.link);
  const std::vector<Told> told = std::move(a.told);
  a.told.clear();
  for (DestinationId d = 0; d < told.size(); ++d) {
    if (told[d].is_settled()) continue;
    Destination& destination = table_[d];
    --destination.told_on;
    destination.keep_until = std::max(destination.keep_until, now + kCollect);
    if (destination.routes.empty()) schedule(d, now);
  }
  a.urgent.clear();
  a.calm.clear();
  a.retracted.clear();
  a.barrier_covers.clear();
  a.questions.clear();
}

void Router::change_adjacencies(NeighbourId neighbour, const Ids& ended, What what, Instant now) {
  const auto is_ended = [&](AdjacencyId id) {
    return std::find(ended.begin(), ended.end(), id) != ended.end();
  };
  Neighbour& n = neighbours_[neighbour];
  for (const AdjacencyId id : ended) leave_link(id, now);
  std::erase_if(n.adjacencies, is_ended);
  const AdjacencyId before = n.effective;
  const bool was_counted = is_counted(n);
  n.effective = kNone;
  for (const auto wanted : {Adjacency::State::Held, Adjacency::State::Live}) {
    for (const AdjacencyId id : n.adjacencies) {
      const Adjacency& a = adjacencies_[id];
      if (a.state != wanted) continue;
      const bool newer = n.effective == kNone || adjacencies_[n.effective].state != wanted ||
                         adjacencies_[n.effective].order < a.order;
      if (newer) n.effective = id;
    }
  }
  const AdjacencyId after = n.effective;
  if (was_counted != is_counted(n)) actions_.push_back(NeighboursChanged{n.address});
  for (DestinationId d = 0; d < table_.slots(); ++d) {
    bool touched = false;
    for (const ToldRoute& route : table_[d].routes) {
      touched = touched || is_ended(route.adjacency) ||
                (before != after && (route.adjacency == before || route.adjacency == after));
    }
    if (!touched) continue;
    std::erase_if(table_[d].routes, [&](const ToldRoute& r) { return is_ended(r.adjacency); });
    reselect(d, now, what);
  }
  for (const AdjacencyId id : ended) {
    adjacencies_[id] = Adjacency{};
    free_adjacencies_.push_back(id);
  }
  Neighbour& left = neighbours_[neighbour];
  if (left.adjacencies.empty() && left.cost == kUnreachable) {
    neighbour_ids_.erase(left.address);
    left = Neighbour{};
    free_neighbours_.push_back(neighbour);
  }
}

void Router::cost(const NodeAddress& address, Metric cost, Instant now) {
  if (const auto at = neighbour_ids_.find(address); at == neighbour_ids_.end()) {
    if (cost == kUnreachable || neighbour_ids_.size() >= 2 * kMaxLinks) return;
  }
  const NeighbourId id = neighbour_of(address);
  if (cost == 0) cost = 1;  // metrics grow strictly along a way
  if (neighbours_[id].cost == cost && neighbours_[id].cost_known) return;
  neighbours_[id].cost = cost;
  neighbours_[id].cost_known = true;
  Ids ended;
  for (const AdjacencyId a : neighbours_[id].adjacencies) {
    if (cost == kUnreachable && adjacencies_[a].state == Adjacency::State::Held) ended.push_back(a);
  }
  const AdjacencyId effective = neighbours_[id].effective;
  if (!ended.empty() || neighbours_[id].adjacencies.empty()) {
    change_adjacencies(id, ended, What::LostNextHop, now);
  }
  if (effective == kNone) return;
  for (DestinationId d = 0; d < table_.slots(); ++d) {
    if (table_[d].find_route(effective)) reselect(d, now);
  }
}

void Router::link_congested(LinkId link, bool congested) {
  const AdjacencyId id = find_link(link);
  if (id != kNone) adjacencies_[id].congested = congested;
}

}  // namespace wattle::metad
