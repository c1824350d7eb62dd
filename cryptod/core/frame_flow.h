// Ethernet frames: from the TAP to members (unicast by MAC, groups replicated to at most 64), and
// from members to the TAP, each judged by the Ethernet guard first.
#pragma once

#include "cryptod/core/handshake_flow.h"

namespace wattle::cryptod {

class FrameFlow {
 public:
  static constexpr std::size_t kReplicas = 64;
  static constexpr std::uint64_t kMulticastRate = 50, kMulticastBurst = 100;
  // A peer that gave no answer is not woken by groups for so long.
  static constexpr Duration kQuiet = std::chrono::minutes(5);

  FrameFlow(EngineContext& context, SessionKeeper& sessions, HandshakeFlow& handshakes,
            NeighbourDesk& neighbours)
      : ctx_(context), sessions_(sessions), handshakes_(handshakes), neighbours_(neighbours) {}

  void outgoing(ByteView frame);
  // `body` lies in the datagram behind kTransportHeader + 1 bytes, which may be overwritten.
  void incoming(Peer& peer, InnerType type, MutableBytes body);

 private:
  void unicast(const MacAddress& to, ByteView frame);
  void multicast(ByteView frame);
  void send_or_queue(Peer& peer, InnerType type, ByteView body);

  EngineContext& ctx_;
  SessionKeeper& sessions_;
  HandshakeFlow& handshakes_;
  NeighbourDesk& neighbours_;
  TokenBucket multicast_{kMulticastRate, kMulticastBurst};
};

}  // namespace wattle::cryptod
