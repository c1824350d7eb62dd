#include "cryptod/core/peer_table.h"

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
  if (peers_.size() >= kMaxPeers) {
    fault = Fault::Full;
    return nullptr;
  }
  const auto slot = static_cast<std::uint32_t>(peers_.size());
  peers_.push_back(std::make_unique<Peer>(slot, address));
  ids_.emplace(peers_.back()->id, slot);
  return peers_.back().get();
}

}  // namespace wattle::cryptod
