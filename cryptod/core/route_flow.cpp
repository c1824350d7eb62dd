#include "cryptod/core/route_flow.h"

#include <utility>

namespace wattle::cryptod {

using meta_link::RouteState;

void RouteFlow::connected() {
  kept_ = 0;
  held_ = true;
  ctx_.tell_metad(meta_link::Ready{incarnation_});
  for (auto& [id, row] : ctx_.table) {
    row.held = true;
    ctx_.tell_metad(meta_link::HeldRoute{row.destination.bytes, row.entry});
  }
  ctx_.tell_metad(meta_link::HeldRoutesEnd{});
}

std::uint32_t RouteFlow::slot_of(const meta_link::Address& neighbour) {
  Peer* peer = ctx_.peers.find(NodeAddress{neighbour});
  NodeAddress who;
  PeerTable::Fault fault{};
  if (peer == nullptr && parse_address(neighbour, who) == AddressFault::None &&
      who != ctx_.self.address)
    peer = ctx_.peers.add(who, fault);
  return peer == nullptr ? kNoSlot : peer->slot;
}

void RouteFlow::route(const meta_link::Route& m) {
  const NodeAddress destination{m.destination};
  if (m.entry.state == RouteState::Forgotten) {
    ctx_.table.erase(destination);
    ctx_.peers.taken_away();
    return ctx_.tell_metad(meta_link::RouteAck{m.ticket});
  }
  ForwardingRow* const row = ctx_.table.put(destination);
  if (row == nullptr)
    return ctx_.refuse(Counter::RoutesRefused, "meta", meta_link::Route::kName, "full_or_short_id",
                       destination);
  const bool reachable = m.entry.state == RouteState::Reachable;
  const std::uint32_t next = reachable ? slot_of(m.entry.next_hop) : kNoSlot;
  if (next != row->next) {
    row->turned_until = {};
    ctx_.peers.taken_away();
  }
  row->entry = m.entry;
  row->next = next;
  row->alternate = reachable && m.entry.has_alternate ? slot_of(m.entry.alternate) : kNoSlot;
  row->held = false;
  ctx_.tell_metad(meta_link::RouteAck{m.ticket});
}

void RouteFlow::snapshot_end() {
  if (std::exchange(held_, false))
    ctx_.table.erase_if([](const ForwardingRow& row) { return row.held; });
  if (kept_ != 0) incarnation_ = kept_;
  kept_ = 0;
}

}  // namespace wattle::cryptod
