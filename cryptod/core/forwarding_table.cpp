#include "cryptod/core/forwarding_table.h"

#include "common/base/mutant.h"

namespace wattle::cryptod {

bool can_relay(const Peer& hop) {
  return hop.neighbour && hop.current && hop.path && hop.path->kind != PathKind::Routed &&
         hop.link_way != meta_link::LinkWay::Down;
}

ForwardingRow* ForwardingTable::put(const NodeAddress& destination) {
  const ShortId id = destination.short_id();
  if (ForwardingRow* const row = find(id)) return row->destination == destination ? row : nullptr;
  if (rows_.size() >= kMost) return nullptr;
  ForwardingRow& row = rows_[id];
  row.destination = destination;
  return &row;
}

void ForwardingTable::erase(const NodeAddress& destination) {
  const auto place = rows_.find(destination.short_id());
  if (place != rows_.end() && place->second.destination == destination) rows_.erase(place);
}

ForwardingRow* ForwardingTable::find(const ShortId& destination) {
  const auto place = rows_.find(destination);
  return place == rows_.end() ? nullptr : &place->second;
}

Peer* ForwardingTable::first_hop(PeerTable& peers, const ShortId& destination, Instant now,
                                 const Peer* except) {
  const ForwardingRow* const row = find(destination);
  if (row == nullptr || row->entry.state != meta_link::RouteState::Reachable) return nullptr;
  const auto usable = [&](std::uint32_t slot) -> Peer* {
    if (slot == kNoSlot) return nullptr;
    Peer& hop = peers.at(slot);
    return WATTLE_CHECKED(route_back, &hop != except) && can_relay(hop) ? &hop : nullptr;
  };
  const bool turned = now < row->turned_until;
  Peer* const first = usable(turned ? row->alternate : row->next);
  return first != nullptr ? first : usable(turned ? row->next : row->alternate);
}

bool ForwardingTable::refused(const ShortId& destination, const Peer& hop, Instant now) {
  ForwardingRow* const row = find(destination);
  if (row == nullptr) return false;
  if (row->next == hop.slot && row->alternate != kNoSlot) {
    row->turned_until = now + kTurned;
    return true;
  }
  if (row->alternate != hop.slot || now >= row->turned_until) return false;
  row->turned_until = {};  // both refuse: the better one
  return true;
}

}  // namespace wattle::cryptod
