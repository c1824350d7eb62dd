// Datagrams for others (DESIGN 3): who may have them relayed, where they go, what that may cost,
// and what the one before us is told if not. Only the header is looked at; only its hop byte
// changes, in place: the datagram leaves from the buffer it came in.
#pragma once

#include "cryptod/core/session_keeper.h"

namespace wattle::cryptod {

// Inner type 8: code u8 || short id of the recipient. A hint.
enum class RefusalCode : std::uint8_t { Off = 3, Unknown = 4, Hops = 5 };

class RelayFlow {
 public:
  static constexpr std::uint8_t kHops = 32;  // the hop byte never exceeds it
  static constexpr std::size_t kRefusal = 9;
  static constexpr Duration kRefusalPause = std::chrono::seconds(1);
  // A member with a session here is reached over it, if it was heard lately; if it was silent
  // longer, but not longer than it stays registered, the table comes first.
  static constexpr Duration kFresh = std::chrono::seconds(30);
  static constexpr Duration kRegistered = std::chrono::seconds(120);

  RelayFlow(EngineContext& context, SessionKeeper& sessions) : ctx_(context), sessions_(sessions) {}

  // `datagram.via` is set, header flags are 0, and the recipient is not this node.
  void relay(Received& datagram);
  // A refusal on a session of `from`. False: malformed.
  bool refusal(Peer& from, ByteView body);

  // Bytes per source, for `relay = RATE`.
  static TokenBucket make_budget(std::uint64_t rate);

 private:
  Peer* find_hop(const Peer& from, const ShortId& recipient, Counter& drop);
  void refuse(Peer& from, RefusalCode code, const ShortId& recipient);

  EngineContext& ctx_;
  SessionKeeper& sessions_;
};

}  // namespace wattle::cryptod
