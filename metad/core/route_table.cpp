#include "metad/core/route_table.h"

#include <algorithm>

namespace wattle::metad {

ToldRoute* Destination::find_route(AdjacencyId adjacency) {
  for (ToldRoute& route : routes) {
    if (route.adjacency == adjacency) return &route;
  }
  return nullptr;
}

const ToldRoute* Destination::find_route(AdjacencyId adjacency) const {
  return const_cast<Destination*>(this)->find_route(adjacency);
}

bool Destination::remove_route(AdjacencyId adjacency) {
  return std::erase_if(routes, [&](const ToldRoute& r) { return r.adjacency == adjacency; }) != 0;
}

std::optional<DestinationId> RouteTable::find(const NodeAddress& address) const {
  const auto at = by_address_.find(address);
  if (at == by_address_.end()) return std::nullopt;
  return at->second;
}

std::optional<DestinationId> RouteTable::create(const NodeAddress& address, std::size_t limit) {
  if (const auto known = find(address)) return known;
  if (by_address_.size() >= limit) return std::nullopt;
  DestinationId id = 0;
  if (free_.empty()) {
    id = static_cast<DestinationId>(slots_.size());
    slots_.emplace_back();
  } else {
    id = free_.back();
    free_.pop_back();
  }
  slots_[id] = Destination{};
  slots_[id].address = address;
  slots_[id].used = true;
  by_address_.emplace(address, id);
  return id;
}

void RouteTable::remove(DestinationId id) {
  by_address_.erase(slots_[id].address);
  slots_[id] = Destination{};
  free_.push_back(id);
}

}  // namespace wattle::metad
