#include "cryptod/core/frame_flow.h"

#include "common/base/mutant.h"

#include <algorithm>

namespace wattle::cryptod {

namespace {

constexpr std::size_t kMacs = 12;  // both MACs, implied in inner type 1
constexpr std::size_t kEthernetHeader = 14;

}  // namespace

// ---- from the TAP ----------------------------------------------------------------------------

void FrameFlow::outgoing(const TapFrame& frame) {
  ctx_.count(Counter::TxFrames);
  const std::size_t most = frame.offload.is_plain() ? kMaxFrame : kMaxSuperFrame;
  if (frame.bytes.size() < kEthernetHeader || frame.bytes.size() > most)
    return ctx_.count(Counter::DropFrameLength);
  if (!ctx_.self.credential) return ctx_.count(Counter::DropNoCredential);
  if (frame.early_drop) ctx_.count(Counter::DropEarly);
  if (frame.early_drop && frame.offload.row == Offload::Row::None) return;
  return frame.offload.is_plain() ? whole(frame.bytes) : offloaded(frame);
}

// Judged before anything is cut: the headers of the whole are those of every segment.
void FrameFlow::offloaded(const TapFrame& frame) {
  const auto view = view_offloaded(frame);
  if (!view) {
    // Of a protocol that is not cut, or a checksum further inside.
    if (frame.offload.row != Offload::Row::None || frame.bytes.size() > kMaxFrame ||
        !complete_sum(frame))
      return ctx_.count(Counter::DropOffload);
    return whole(frame.bytes);
  }
  const std::size_t piece =
      frame.offload.row == Offload::Row::None ? view->payload_size() : frame.offload.segment;
  const Outgoing verdict = judge_outgoing(frame.bytes, *ctx_.self.credential);
  if (verdict.kind == Outgoing::Kind::Unicast) {
    if (const auto slot = ctx_.owners.find(verdict.destination)) {
      Peer& peer = ctx_.peers.at(*slot);
      sessions_.ask_takes(peer);
      if (sessions_.can_send(peer) && peer.current->peer_takes(kTakesUnsummed))
        return segments(peer, frame, *view);
    }
  }
  summed(frame, *view, piece);
}

void FrameFlow::segments(Peer& peer, const TapFrame& frame, const SegmentView& view) {
  const std::size_t headers = view.payload - kMacs;
  const std::size_t room = sessions_.room(peer);
  std::size_t piece =
      frame.offload.row == Offload::Row::None ? view.payload_size() : frame.offload.segment;
  // TCP may be cut smaller than its sender asked for; a datagram of UDP is one.
  if (view.tcp && headers < room) piece = std::min(piece, room - headers);
  const Segmenter cut(frame.bytes, view, std::max<std::size_t>(piece, 1));
  if (cut.count() == 1) {
    const MutableBytes place = packer_.reserve(peer, true, view.size - kMacs);
    if (!place.empty()) {
      cut.write(0, kMacs, place);
      return renew(peer);
    }
  }
  packer_.send(peer);
  for (std::size_t i = frame.early_drop ? 1 : 0; i < cut.count(); ++i) {
    if (!sessions_.can_send(peer)) return ctx_.count(Counter::DropQueueFull);
    const std::size_t size = cut.view(i).size;
    if (size - kMacs > room && size <= scratch_.size()) {
      const MutableBytes body = MutableBytes(scratch_).first(size - kMacs);
      cut.write(i, kMacs, body);
      sessions_.send(peer, InnerType::Unsummed, body);
      continue;
    }
    const MutableBytes datagram = sessions_.make_room(size - kMacs);
    if (datagram.empty()) return;
    cut.write(i, kMacs, datagram.subspan(kTransportBody, size - kMacs));
    sessions_.send_room(peer, InnerType::Unsummed, datagram);
  }
  ctx_.count(Counter::TxSegments, cut.count());
  renew(peer);
}

void FrameFlow::summed(const TapFrame& frame, const SegmentView& view, std::size_t piece) {
  const Segmenter cut(frame.bytes, view, std::max<std::size_t>(piece, 1));
  for (std::size_t i = frame.early_drop ? 1 : 0; i < cut.count(); ++i) {
    const SegmentView own = cut.view(i);
    if (own.size > scratch_.size()) return ctx_.count(Counter::DropFrameLength);
    const MutableBytes out = MutableBytes(scratch_).first(own.size);
    cut.write(i, 0, out);
    complete_checksums(out, own);
    whole(out);
  }
}

void FrameFlow::whole(ByteView frame) {
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
  if (type == InnerType::Frame) {
    const MutableBytes place = packer_.reserve(peer, false, body.size());
    if (!place.empty()) {
      std::copy(body.begin(), body.end(), place.begin());
      return renew(peer);
    }
  }
  packer_.send(peer);
  if (sessions_.send(peer, type, body)) return renew(peer);
  ctx_.count(Counter::DropQueueOld, peer.queue.expire(ctx_.now(), ctx_.queued));
  if (!peer.queue.push(ctx_.now(), type, body, ctx_.queued)) {
    ctx_.count(Counter::DropQueueFull);
  } else {
    ctx_.deadlines.lower(peer.slot, peer.queue.expires());
  }
  handshakes_.want(peer);
}

// The initiator renews in time; the responder only if that did not happen.
void FrameFlow::renew(Peer& peer) {
  const Duration grace =
      peer.current->initiator() ? Duration{} : Duration(std::chrono::seconds(15));
  if (peer.current->wants_rekey(ctx_.now() - grace)) handshakes_.want(peer);
}

void FrameFlow::multicast(ByteView frame) {
  if (!WATTLE_CHECKED(multicast_rate, multicast_.take(ctx_.now())))
    return ctx_.count(Counter::DropMulticastBudget);
  std::size_t left = kReplicas;
  const auto& live = ctx_.peers.live();
  for (std::size_t i = 0; i < live.size(); ++i) {
    Peer& peer = ctx_.peers.at(live[i]);
    if (!peer.member || !sessions_.can_send(peer)) continue;
    if (left == 0) return ctx_.count(Counter::DropMulticastLimit);
    --left;
    send_or_queue(peer, InnerType::FullFrame, frame);
  }
  wake(frame, left);
}

bool FrameFlow::may_wake(const Peer& peer) const {
  return peer.hinted && !sessions_.can_send(peer) &&
         !(peer.given_up && ctx_.now() < peer.given_up_at + kQuiet);
}

// The peers without a session, from the first one on that may be woken.
void FrameFlow::wake(ByteView frame, std::size_t left) {
  const std::size_t slots = ctx_.peers.size();
  if (slots <= kLooks || ctx_.now() >= wake_again_) {
    wake_from_ = 0;
    wake_again_ = ctx_.now() + kWakeAgain;
  }
  const std::size_t end = std::min(slots, wake_from_ + kLooks);
  for (std::size_t slot = wake_from_; slot < end; ++slot) {
    Peer& peer = ctx_.peers.at(static_cast<std::uint32_t>(slot));
    if (!may_wake(peer)) {
      if (slot == wake_from_) ++wake_from_;
      continue;
    }
    if (left == 0) return ctx_.count(Counter::DropMulticastLimit);
    --left;
    send_or_queue(peer, InnerType::FullFrame, frame);
  }
}

// ---- from a member ---------------------------------------------------------------------------

void FrameFlow::incoming(Peer& peer, InnerType type, MutableBytes body) {
  if (!peer.member || !ctx_.self.credential) return ctx_.count(Counter::DropNoCredential);
  if (type == InnerType::Pack) return unpack(peer, body);
  if (type == InnerType::FullFrame) return take(peer, body, false);
  if (body.size() < 2) return ctx_.count(Counter::DropInnerLength);
  // The MACs stand where the datagram's header was.
  take(peer, add_macs(peer, {body.data() - kMacs, body.size() + kMacs}),
       type == InnerType::Unsummed);
}

void FrameFlow::fragment(Peer& peer, std::uint32_t session, std::uint64_t counter, ByteView body) {
  const Reassembly::Added added = reassembly_.add(session, counter, body);
  if (added.forgotten) ctx_.count(Counter::DropIncomplete);
  if (added.verdict == Reassembly::Verdict::Malformed) return ctx_.count(Counter::DropInnerLength);
  if (added.verdict == Reassembly::Verdict::Kept) return;
  ctx_.count(Counter::RxReassembled);
  const MutableBytes place = ctx_.out->allocate(kMacs + added.body.size());
  if (place.empty()) return ctx_.count(Counter::DropNoBuffer);
  std::copy(added.body.begin(), added.body.end(), place.begin() + kMacs);
  incoming(peer, added.type, place.subspan(kMacs));
}

// Each into a place of its own: in front of it there is another frame.
void FrameFlow::unpack(Peer& peer, ByteView body) {
  for (std::size_t n = 0; !body.empty(); ++n) {
    if (WATTLE_CHECKED(pack_most, n == Packer::kMostFrames))
      return ctx_.count(Counter::DropInnerLength);
    const auto packed = take_packed(body);
    if (!packed || WATTLE_CHECKED(pack_frame, packed->frame.size() < 2))
      return ctx_.count(Counter::DropInnerLength);
    const MutableBytes frame = ctx_.out->allocate(kMacs + packed->frame.size());
    if (frame.empty()) return ctx_.count(Counter::DropNoBuffer);
    std::copy(packed->frame.begin(), packed->frame.end(), frame.begin() + kMacs);
    ctx_.count(Counter::RxPacked);
    take(peer, add_macs(peer, frame), packed->unsummed);
  }
}

MutableBytes FrameFlow::add_macs(const Peer& peer, MutableBytes frame) const {
  std::copy_n(ctx_.self.credential->mac.bytes.begin(), 6, frame.begin());
  std::copy_n(peer.member->credential.mac.bytes.begin(), 6, frame.begin() + 6);
  return frame;
}

void FrameFlow::take(Peer& peer, MutableBytes frame, bool unsummed) {
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
  return unsummed ? deliver_unsummed(frame) : deliver(frame);
}

void FrameFlow::deliver(MutableBytes frame) {
  deliver_joined();
  ctx_.out->frames.push_back({.frame = frame});
}

void FrameFlow::deliver_unsummed(MutableBytes frame) {
  const auto view = view_segment(frame);
  if (!WATTLE_CHECKED(unsummed_view, view.has_value()))
    return ctx_.count(Counter::DropInnerSegment);
  const bool joins =
      view->tcp ? ctx_.config.offloads.tso : ctx_.config.offloads.uso && ctx_.device.takes_udp_rows;
  if (joins && joiner_.append(frame, *view)) {
    ctx_.out->pieces.push_back(frame.subspan(view->payload, view->payload_size()));
    return;
  }
  deliver_joined();
  if (!ctx_.config.offloads.csum) {
    complete_checksums(frame, *view);
    return deliver(frame.first(view->size));
  }
  joiner_.begin(frame, *view);
  first_piece_ = ctx_.out->pieces.size();
}

void FrameFlow::deliver_joined() {
  if (!joiner_.is_open()) return;
  const std::size_t count = joiner_.count();
  if (count > 1) ctx_.count(Counter::RxJoined, count);
  const Offload offload =
      offload_of(joiner_.view(), count, joiner_.segment_size(), joiner_.has_cwr());
  ctx_.out->frames.push_back({joiner_.finish(), offload, first_piece_, count - 1});
}

}  // namespace wattle::cryptod
