// All peers, by slot and by short id, and those with a session. Bounded. A peer of whom anything
// was verified is never removed, because its newest handshake mark must be kept as long as our
// packet key lives (security.md 2.5.3); mere hints of metad are, so that one that lies does not
// fill the table for the next.
#pragma once

#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "cryptod/core/id_hash.h"
#include "cryptod/core/peer.h"

namespace wattle::cryptod {

class PeerTable {
 public:
  static constexpr std::size_t kMaxPeers = 65536;

  explicit PeerTable(std::uint64_t hash_key) : ids_(16, IdHash(hash_key)) {}

  Peer& at(std::uint32_t slot) { return *peers_[slot]; }
  std::size_t size() const { return peers_.size(); }  // slots
  std::size_t used() const { return peers_.size() - free_.size(); }
  Peer* find(const NodeAddress& address);
  Peer* find(const ShortId& id);
  enum class Fault { None, Full, Clash };  // Clash: another address has this short id
  // Finds or makes it. Null: see `fault`.
  Peer* add(const NodeAddress& address, Fault& fault);
  // Something has been taken away from a peer, which may be blank now or soon.
  void taken_away() { loose_ = true; }
  // It is half full, and reclaim() may find something.
  bool wants_room() const { return loose_ && used() > kMaxPeers / 2; }
  // Gives the slots of blank peers back that `keep` (bool of a Peer) does not want. Nothing may
  // hold such a slot any more. What stays in the slot until its next use is as blank as before.
  template <typename Keep>
  void reclaim(Keep keep) {
    loose_ = false;
    for (const auto& peer : walk()) {
      if (!peer->is_blank()) {
        loose_ |= !peer->hinted && !peer->neighbour && !peer->is_verified();
        continue;
      }
      if (keep(*peer)) continue;
      const auto place = ids_.find(peer->id);
      if (place == ids_.end() || place->second != peer->slot) continue;  // given back before
      ids_.erase(place);
      free_.push_back(peer->slot);
    }
  }

  // Everybody, in slot order: tens of thousands. Nothing that happens often may walk.
  std::span<const std::unique_ptr<Peer>> walk() {
    ++walks_;
    return peers_;
  }
  std::uint64_t walks() const { return walks_; }

  // Slots of the peers with a session of ours to send on, in no order.
  const std::vector<std::uint32_t>& live() const { return live_; }
  // SessionKeeper's: `peer.current` has been set or taken away.
  void current_changed(Peer& peer);

 private:
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<std::uint32_t> free_;  // slots that nobody has
  std::vector<std::uint32_t> live_;
  std::uint64_t walks_ = 0;
  bool loose_ = false;
  std::unordered_map<ShortId, std::uint32_t, IdHash> ids_;
};

}  // namespace wattle::cryptod
