// Which peer has its confirmed direct path at an endpoint: whose datagrams may be relayed, and who
// relayed to us. SessionKeeper keeps it in step with Peer.path; who asks checks the peer's path.
#pragma once

#include <unordered_map>

#include "common/net/endpoint.h"
#include "cryptod/core/peer_table.h"

namespace wattle::cryptod {

class EndpointMap {
 public:
  explicit EndpointMap(std::uint64_t hash_key) : slots_(64, Hash{hash_key | 1}) {}

  // The peer's path is about to become `path`.
  void move(const Peer& peer, const std::optional<Path>& path);
  // The peer with a session whose confirmed direct path leads there; null: nobody.
  Peer* find(PeerTable& peers, const Endpoint& endpoint) const;

  std::size_t size() const { return slots_.size(); }

 private:
  struct Hash {
    std::uint64_t key;
    std::size_t operator()(const Endpoint& endpoint) const;
  };
  std::unordered_map<Endpoint, std::uint32_t, Hash> slots_;
};

}  // namespace wattle::cryptod
