#include "cryptod/core/endpoint_map.h"

#include "cryptod/core/wire_header.h"

namespace wattle::cryptod {

std::size_t EndpointMap::Hash::operator()(const Endpoint& endpoint) const {
  const ByteView bytes(endpoint.address.bytes);
  std::uint64_t hash = (read_u64(bytes, 0) ^ key) * 0x9e3779b97f4a7c15u;
  hash = (hash ^ hash >> 32 ^ read_u64(bytes, 8)) * key;
  hash = (hash ^ hash >> 29 ^ endpoint.port ^ std::uint64_t{endpoint.address.family} << 16) * key;
  return static_cast<std::size_t>(hash ^ hash >> 32);
}

void EndpointMap::move(const Peer& peer, const std::optional<Path>& path) {
  if (peer.path && peer.path->is_direct() && (!path || path->remote != peer.path->remote)) {
    const auto place = slots_.find(peer.path->remote);
    if (place != slots_.end() && place->second == peer.slot) slots_.erase(place);
  }
  if (path && path->is_direct()) slots_[path->remote] = peer.slot;
}

Peer* EndpointMap::find(PeerTable& peers, const Endpoint& endpoint) const {
  const auto place = slots_.find(endpoint);
  if (place == slots_.end()) return nullptr;
  Peer& peer = peers.at(place->second);
  const bool holds =
      peer.current && peer.path && peer.path->is_direct() && peer.path->remote == endpoint;
  return holds ? &peer : nullptr;
}

}  // namespace wattle::cryptod
