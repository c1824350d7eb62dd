// The routing table as cryptod forwards by it (DESIGN 6): destination's short id -> next hop and
// alternate, with the feasibility distances that metad takes back after its restart. metad's word;
// nothing here is believed of a datagram. Bounded; a lookup is one keyed hash and no allocation.
#pragma once

#include <unordered_map>

#include "common/ipc/meta_link.h"
#include "cryptod/core/id_hash.h"
#include "cryptod/core/peer_table.h"

namespace wattle::cryptod {

struct ForwardingRow {
  NodeAddress destination;
  meta_link::RouteEntry entry;
  std::uint32_t next = kNoSlot;       // of entry.next_hop; kNoSlot: no such peer, or not reachable
  std::uint32_t alternate = kNoSlot;  // of entry.alternate
  Instant turned_until{};  // the next hop has refused: the alternate comes first until then
  bool held = false;       // told by an earlier metad and not by this one yet
};

// Whether datagrams for others can be handed to it now: a neighbour with a session whose own path
// is its own (direct or carried) and whose probes come back.
bool can_relay(const Peer& hop);

class ForwardingTable {
 public:
  static constexpr std::size_t kMost = PeerTable::kMaxPeers;
  static constexpr Duration kTurned = std::chrono::seconds(30);

  explicit ForwardingTable(std::uint64_t hash_key) : rows_(64, IdHash(hash_key)) {}

  // Finds or makes the row of this destination. Null: full, or another address has this short id.
  ForwardingRow* put(const NodeAddress& destination);
  void erase(const NodeAddress& destination);

  ForwardingRow* find(const ShortId& destination);
  // The neighbour to hand a datagram for `destination` to: next hop, or the alternate while the
  // next hop is down or has refused. Never `except`. Null: no way.
  Peer* first_hop(PeerTable& peers, const ShortId& destination, Instant now,
                  const Peer* except = nullptr);
  // `hop` has said that it does not relay to this destination: a hint, the alternate comes first
  // for a while, if there is one. True if that changes anything.
  bool refused(const ShortId& destination, const Peer& hop, Instant now);

  std::size_t size() const { return rows_.size(); }
  auto begin() { return rows_.begin(); }
  auto end() { return rows_.end(); }
  template <typename Predicate>
  void erase_if(Predicate predicate) {
    std::erase_if(rows_, [&](const auto& item) { return predicate(item.second); });
  }

 private:
  std::unordered_map<ShortId, ForwardingRow, IdHash> rows_;
};

}  // namespace wattle::cryptod
