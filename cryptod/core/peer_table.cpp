#include "cryptod/core/peer_table.h"

#include "common/base/mutant.h"

namespace wattle::cryptod {

Peer* PeerTable::find(const NodeAddress& address) {
  const auto place = ids_.find(address.short_id());
  if (place == ids_.end() || peers_[place->second]->address != address) return nullptr;
  return peers_[place->second].get();
}

Peer* PeerTable::find(const ShortId& id) {
  const auto place = ids_.find(id);
  return place == ids_.end() ? nullptr : peers_[place->second].get();
}

Peer* PeerTable::add(const NodeAddress& address, Fault& fault) {
  fault = Fault::None;
  const auto place = ids_.find(address.short_id());
  if (place != ids_.end()) {
    if (peers_[place->second]->address == address) return peers_[place->second].get();
    fault = Fault::Clash;
    return nullptr;
  }
  if (free_.empty() && WATTLE_CHECKED(peers_most, peers_.size() >= kMaxPeers)) {
    fault = Fault::Full;
    return nullptr;
  }
  std::uint32_t slot = static_cast<std::uint32_t>(peers_.size());
  if (free_.empty()) {
    peers_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  peers_[slot] = std::make_unique<Peer>(slot, address);
  ids_.emplace(peers_[slot]->id, slot);
  return peers_[slot].get();
}

void PeerTable::current_changed(Peer& peer) {
  if ((peer.current != nullptr) == (peer.live_at != kNoSlot)) return;
  if (peer.current) {
    peer.live_at = static_cast<std::uint32_t>(live_.size());
    live_.push_back(peer.slot);
    return;
  }
  live_[peer.live_at] = live_.back();
  at(live_.back()).live_at = peer.live_at;
  live_.pop_back();
  peer.live_at = kNoSlot;
}

}  // namespace wattle::cryptod
