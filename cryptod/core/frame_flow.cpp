#include "cryptod/core/frame_flow.h"

#include "common/base/mutant.h"

#include <algorithm>

namespace wattle::cryptod {

namespace {

constexpr std::size_t kMacs = 12;  // both MACs, implied in inner type 1
constexpr std::size_t kEthernetHeader = 14;

}  // namespace

// ---- from the TAP ----------------------------------------------------------------------------

void FrameFlow::outgoing(ByteView frame) {
  ctx_.count(Counter::TxFrames);
  if (frame.size() < kEthernetHeader || frame.size() > kMaxFrame)
    return ctx_.count(Counter::DropFrameLength);
  if (!ctx_.self.credential) return ctx_.count(Counter::DropNoCredential);
  const Outgoing verdict = judge_outgoing(frame, *ctx_.self.credential);
  switch (verdict.kind) {
    case Outgoing::Kind::Drop:
      return ctx_.counters.add_tx(verdict.drop);
    case Outgoing::Kind::Resolve:
      return neighbours_.resolve(verdict.query);
    case Outgoing::Kind::Unicast:
      return unicast(verdict.destination, frame);
    case Outgoing::Kind::Multicast:
      if (verdict.destination.is_broadcast() && !ctx_.self.broadcast)
        return ctx_.count(Counter::DropBroadcast);
      return multicast(frame);
  }
}

void FrameFlow::unicast(const MacAddress& to, ByteView frame) {
  const auto slot = ctx_.owners.find(to);
  if (!slot) {
    ctx_.count(Counter::DropUnknownMac);
    return neighbours_.unknown_mac(to);
  }
  send_or_queue(ctx_.peers.at(*slot), InnerType::Frame, frame.subspan(kMacs));
}

void FrameFlow::send_or_queue(Peer& peer, InnerType type, ByteView body) {
  if (sessions_.send(peer, type, body)) {
    // The initiator renews in time; the responder only if that did not happen.
    const Duration grace =
        peer.current->initiator() ? Duration{} : Duration(std::chrono::seconds(15));
    if (peer.current->wants_rekey(ctx_.now() - grace)) handshakes_.want(peer);
    return;
  }
  ctx_.count(Counter::DropQueueOld, peer.queue.expire(ctx_.now(), ctx_.queued));
  if (!peer.queue.push(ctx_.now(), type, body, ctx_.queued)) {
    ctx_.count(Counter::DropQueueFull);
  } else {
    ctx_.deadlines.lower(peer.slot, peer.queue.expires());
  }
  handshakes_.want(peer);
}

void FrameFlow::multicast(ByteView frame) {
  if (!WATTLE_CHECKED(multicast_rate, multicast_.take(ctx_.now())))
    return ctx_.count(Counter::DropMulticastBudget);
  std::size_t left = kReplicas;
  for (const auto& peer : ctx_.peers) {  // live sessions first
    if (!peer->member || !sessions_.can_send(*peer)) continue;
    if (left == 0) return ctx_.count(Counter::DropMulticastLimit);
    --left;
    send_or_queue(*peer, InnerType::FullFrame, frame);
  }
  for (const auto& peer : ctx_.peers) {
    if (!peer->hinted || sessions_.can_send(*peer)) continue;
    if (peer->given_up && ctx_.now() < peer->given_up_at + kQuiet) continue;
    if (left == 0) return ctx_.count(Counter::DropMulticastLimit);
    --left;
    send_or_queue(*peer, InnerType::FullFrame, frame);
  }
}

// ---- from a member ---------------------------------------------------------------------------

void FrameFlow::incoming(Peer& peer, InnerType type, MutableBytes body) {
  if (!peer.member || !ctx_.self.credential) return ctx_.count(Counter::DropNoCredential);
  MutableBytes frame = body;
  if (type == InnerType::Frame) {
    if (body.size() < 2) return ctx_.count(Counter::DropInnerLength);
    // The MACs stand where the datagram's header was.
    frame = MutableBytes(body.data() - kMacs, body.size() + kMacs);
    std::copy_n(ctx_.self.credential->mac.bytes.begin(), 6, frame.begin());
    std::copy_n(peer.member->credential.mac.bytes.begin(), 6, frame.begin() + 6);
  }
  if (frame.size() < kEthernetHeader || frame.size() > kMaxFrame)
    return ctx_.count(Counter::DropInnerLength);
  const EtherDrop drop = judge_incoming(frame, peer.member->credential, ctx_.self.credential->mac);
  if (drop != EtherDrop::None) return ctx_.counters.add_rx(drop);
  if (WATTLE_CHECKED(broadcast_off,
                     !ctx_.self.broadcast && MacAddress{to_array<6>(frame)}.is_broadcast()))
    return ctx_.count(Counter::DropBroadcast);
  if (!ctx_.device.present) return ctx_.count(Counter::DropNoDevice);
  ++peer.rx_frames;
  ctx_.count(Counter::RxFrames);
  ctx_.out->frames.push_back({frame});
}

}  // namespace wattle::cryptod
