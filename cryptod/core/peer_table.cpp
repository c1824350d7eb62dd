#include "cryptod/core/peer_table.h"

namespace wattle::cryptod {

std::size_t PeerTable::IdHash::operator()(const ShortId& id) const {
  const std::uint64_t mixed = (read_u64(id, 0) ^ key) * 0x9e3779b97f4a7c15u;
  return static_cast<std::size_t>((mixed ^ mixed >> 31) * key);
}

Peer* PeerTable::find(const NodeAddress& address) {
  const auto place = ids_.find(address.short_id());
  if (place == ids_.end() || peers_[place->second]->address != address) return nullptr;
  return peers_[place->second].get();
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
