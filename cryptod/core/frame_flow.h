// Ethernet frames: from the TAP to members (unicast by MAC, groups replicated to at most 64), and
// from members to the TAP, each judged by the Ethernet guard first. Super-frames are cut to
// segments of a datagram each; a member that takes them gets them unsummed, for others and for
// groups they are completed here. Unsummed segments that come one after the other are joined to a
// super-frame, which is delivered before anything else is and at the end of each event: nothing
// waits.
#pragma once

#include "common/net/segment.h"
#include "cryptod/core/fragments.h"
#include "cryptod/core/handshake_flow.h"
#include "cryptod/core/packer.h"

namespace wattle::cryptod {

class FrameFlow {
 public:
  static constexpr std::size_t kReplicas = 64;
  static constexpr std::uint64_t kMulticastRate = 50, kMulticastBurst = 100;
  // A peer that gave no answer is not woken by groups for so long.
  static constexpr Duration kQuiet = std::chrono::minutes(5);
  // So many peers without a session are looked at for one frame; whoever of the first ones is not
  // to be woken is not looked at again for so long.
  static constexpr std::size_t kLooks = 256;
  static constexpr Duration kWakeAgain = std::chrono::seconds(30);

  FrameFlow(EngineContext& context, SessionKeeper& sessions, HandshakeFlow& handshakes,
            NeighbourDesk& neighbours)
      : ctx_(context),
        sessions_(sessions),
        handshakes_(handshakes),
        neighbours_(neighbours),
        packer_(context, sessions) {}

  void outgoing(const TapFrame& frame);
  // `body` lies in the datagram behind kTransportHeader + 1 bytes, which may be overwritten.
  void incoming(Peer& peer, InnerType type, MutableBytes body);
  // A part of a frame, which came on the session with this index of ours.
  void fragment(Peer& peer, std::uint32_t session, std::uint64_t counter, ByteView body);
  // Once after each event: what is in the making leaves.
  void work() {
    deliver_joined();
    packer_.send_all();
  }

 private:
  void offloaded(const TapFrame& frame);
  void segments(Peer& peer, const TapFrame& frame, const SegmentView& view);
  void summed(const TapFrame& frame, const SegmentView& view, std::size_t piece);
  void whole(ByteView frame);
  void unicast(const MacAddress& to, ByteView frame);
  void renew(Peer& peer);
  void unpack(Peer& peer, ByteView body);
  void take(Peer& peer, MutableBytes frame, bool unsummed);
  MutableBytes add_macs(const Peer& peer, MutableBytes frame) const;
  void deliver(MutableBytes frame);
  void deliver_unsummed(MutableBytes frame);
  void deliver_joined();
  void multicast(ByteView frame);
  bool may_wake(const Peer& peer) const;
  void wake(ByteView frame, std::size_t left);
  void send_or_queue(Peer& peer, InnerType type, ByteView body);

  EngineContext& ctx_;
  SessionKeeper& sessions_;
  HandshakeFlow& handshakes_;
  NeighbourDesk& neighbours_;
  TokenBucket multicast_{kMulticastRate, kMulticastBurst};
  std::size_t wake_from_ = 0;  // slot
  Instant wake_again_{};       // from the first slot on
  Packer packer_;
  Joiner joiner_;
  Reassembly reassembly_;
  std::size_t first_piece_ = 0;
  ByteArray<kMaxFrame> scratch_;
};

}  // namespace wattle::cryptod
