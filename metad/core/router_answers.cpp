// What the routing engine answers; nothing here changes it.
#include <algorithm>

#include "metad/core/router.h"

namespace wattle::metad {

TableEntry Router::entry(const NodeAddress& destination) const {
  const auto id = table_.find(destination);
  return id ? table_[*id].entry : TableEntry{};
}

std::vector<NodeAddress> Router::destinations() const {
  std::vector<NodeAddress> out;
  for (DestinationId id = kOwn + 1; id < table_.slots(); ++id) {
    if (table_[id].used) out.push_back(table_[id].address);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::set<NodeAddress> Router::neighbours() const {
  std::set<NodeAddress> out;
  for (const Neighbour& neighbour : neighbours_) {
    if (neighbour.used && is_counted(neighbour)) out.insert(neighbour.address);
  }
  return out;
}

bool Router::is_held(const NodeAddress& neighbour) const {
  const auto at = neighbour_ids_.find(neighbour);
  if (at == neighbour_ids_.end()) return false;
  const AdjacencyId effective = neighbours_[at->second].effective;
  return effective != kNone && adjacencies_[effective].state == Adjacency::State::Held;
}

std::vector<NodeAddress> Router::ways(const NodeAddress& destination,
                                      const NodeAddress* but) const {
  std::vector<NodeAddress> out;
  const auto add = [&](const NodeAddress& address) {
    if (but && address == *but) return;
    if (std::find(out.begin(), out.end(), address) == out.end()) out.push_back(address);
  };
  const auto is_linked = [&](NeighbourId id) {
    const Ids& all = neighbours_[id].adjacencies;
    return std::any_of(all.begin(), all.end(),
                       [&](AdjacencyId a) { return adjacencies_[a].is_linked(); });
  };
  if (const auto at = neighbour_ids_.find(destination);
      at != neighbour_ids_.end() && is_linked(at->second)) {
    add(destination);
  }
  const auto id = table_.find(destination);
  if (!id || *id == kOwn) return out;
  const Destination& d = table_[*id];
  if (d.is_reachable() && is_linked(d.next_hop)) add(neighbours_[d.next_hop].address);
  for (const ToldRoute* route : routes_to_ask(d, kNone, false)) {
    add(neighbours_[neighbour_of(*route)].address);
  }
  for (const ToldRoute& route : d.routes) {
    if (is_linked(neighbour_of(route))) add(neighbours_[neighbour_of(route)].address);
  }
  return out;
}

std::vector<Candidate> Router::candidates(const NodeAddress& destination) const {
  std::vector<Candidate> out;
  const auto id = table_.find(destination);
  if (!id) return out;
  const Destination& d = table_[*id];
  for (const ToldRoute& route : d.routes) {
    const Adjacency& a = adjacencies_[route.adjacency];
    const Neighbour& neighbour = neighbours_[a.neighbour];
    Candidate candidate;
    candidate.neighbour = neighbour.address;
    candidate.link = a.link;
    candidate.told = route.told;
    candidate.cost = neighbour.cost;
    candidate.feasible = is_feasible(d, route);
    candidate.selected = a.neighbour == d.next_hop && neighbour.effective == route.adjacency;
    candidate.held = a.state == Adjacency::State::Held;
    out.push_back(candidate);
  }
  return out;
}

std::vector<RouteEvent> Router::history(const NodeAddress& destination) const {
  const auto id = table_.find(destination);
  if (!id) return {};
  return table_[*id].history;
}

}  // namespace wattle::metad
