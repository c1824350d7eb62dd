// All peers, by slot and by short id. Bounded; a peer is never removed, because its newest
// handshake mark must be kept as long as our packet key lives (security.md 2.5.3).
#pragma once

#include <memory>
#include <unordered_map>
#include <vector>

#include "cryptod/core/id_hash.h"
#include "cryptod/core/peer.h"

namespace wattle::cryptod {

class PeerTable {
 public:
  static constexpr std::size_t kMaxPeers = 16384;

  explicit PeerTable(std::uint64_t hash_key) : ids_(16, IdHash(hash_key)) {}

  Peer& at(std::uint32_t slot) { return *peers_[slot]; }
  std::size_t size() const { return peers_.size(); }
  Peer* find(const NodeAddress& address);
  Peer* find(const ShortId& id);
  enum class Fault { None, Full, Clash };  // Clash: another address has this short id
  // Finds or makes it. Null: see `fault`.
  Peer* add(const NodeAddress& address, Fault& fault);

  auto begin() const { return peers_.begin(); }  // unique_ptr<Peer>, in slot order
  auto end() const { return peers_.end(); }

 private:
  std::vector<std::unique_ptr<Peer>> peers_;
  std::unordered_map<ShortId, std::uint32_t, IdHash> ids_;
};

}  // namespace wattle::cryptod
