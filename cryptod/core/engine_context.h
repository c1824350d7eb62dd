// What the engine's flows share: tables, counters, and the event under way. One object per engine.
#pragma once

#include <unordered_map>

#include "common/proto/trust_chain.h"
#include "cryptod/core/deadline_heap.h"
#include "cryptod/core/endpoint_map.h"
#include "cryptod/core/engine.h"
#include "cryptod/core/forwarding_table.h"
#include "cryptod/core/owner_table.h"
#include "cryptod/core/peer_table.h"
#include "cryptod/core/self.h"

namespace wattle::cryptod {

inline constexpr Duration kCameLately = std::chrono::seconds(3);

struct EngineContext {
  EngineContext(const EngineConfig& c, Random& r)
      : config(c),
        random(r),
        chain({c.network, c.document_key, c.credential_key, {}}),
        peers(r.u64()),
        endpoints(r.u64()),
        table(r.u64()) {
    self.trust.network = c.network;
    self.trust.credential_keys = chain.credential_keys();
  }

  const EngineConfig config;
  Random& random;
  TrustChain chain;  // genesis and the document in force
  Counters counters;
  Self self;
  PeerTable peers;
  EndpointMap endpoints;
  ForwardingTable table;
  OwnerTable owners;
  DeadlineHeap deadlines;
  std::unordered_map<std::uint32_t, std::uint32_t> indices;  // our index -> slot
  QueueBudget queued;
  DeviceState device;
  bool meta_up = false;
  std::vector<std::uint32_t> dirty;  // slots whose PeerState metad has not been told

  // Valid during an event.
  Moment moment{};
  Actions* out = nullptr;

  Instant now() const { return moment.now; }
  void count(Counter c, std::uint64_t n = 1) { counters.add(c, n); }
  // What metad or keyd said is not believed, or not done: counted, and named in the log.
  void refuse(Counter c, std::string_view lane, std::string_view message, std::string_view rule,
              const std::optional<NodeAddress>& peer = {}) {
    count(c);
    say_refused(lane, message, rule, peer);
  }
  void say_refused(std::string_view lane, std::string_view message, std::string_view rule,
                   const std::optional<NodeAddress>& peer = {}) {  // counted already
    out->refusals.push_back({lane, message, rule, peer});
  }
  void tell_metad(meta_link::ToMetad::Message message) {
    if (meta_up) out->to_metad.push_back(std::move(message));
  }
  void mark_dirty(Peer& peer) {
    if (peer.dirty) return;
    peer.dirty = true;
    dirty.push_back(peer.slot);
  }
  // The neighbour through which datagrams for this peer leave; null: there is no way.
  // If the table has none: the one that relayed something from it just now, so that an answer finds
  // back.
  Peer* first_hop(const Peer& to) {
    Peer* const hop = table.first_hop(peers, to.id, now());
    if (hop != nullptr || to.came_by == kNoSlot || now() >= to.came_at + kCameLately) return hop;
    Peer& last = peers.at(to.came_by);
    return can_relay(last) ? &last : nullptr;
  }
  // A valid datagram of this peer has come.
  void came(Peer& from, const Arrival& via) const {
    if (via.kind != PathKind::Routed || via.hop == kNoSlot) return;
    from.came_by = via.hop;
    from.came_at = now();
  }
  // A random duration in [0, limit).
  Duration jitter(Duration limit) {
    return Duration(
        static_cast<Duration::rep>(random.u64() % static_cast<std::uint64_t>(limit.count())));
  }
  // A fresh random index for a handshake or session of `slot`.
  std::uint32_t new_index(std::uint32_t slot) {
    for (;;) {
      const std::uint32_t index = random.u32();
      if (indices.emplace(index, slot).second) return index;
    }
  }
  crypto::PrivateKey new_key() {
    for (;;) {
      Secret<32> scalar;
      random.fill(scalar.mutable_bytes());
      auto key = crypto::PrivateKey::from_scalar(scalar.view());
      if (key) return std::move(key).value();
    }
  }
};

}  // namespace wattle::cryptod
