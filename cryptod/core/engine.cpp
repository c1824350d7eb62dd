#include "cryptod/core/engine.h"

#include <algorithm>

#include "common/base/mutant.h"
#include "cryptod/core/meta_flow.h"
#include "cryptod/core/session_flow.h"

namespace wattle::cryptod {

namespace {

constexpr Duration kLeastPause = std::chrono::milliseconds(1);

}  // namespace

class Engine::Impl {
 public:
  Impl(const EngineConfig& config, Random& random)
      : ctx_(config, random),
        sessions_(ctx_),
        neighbours_(ctx_),
        members_(ctx_, sessions_, neighbours_),
        own_(ctx_),
        paths_(ctx_, sessions_, own_),
        handshakes_(ctx_, sessions_, members_, paths_),
        watch_(ctx_, sessions_, handshakes_, paths_),
        probes_(ctx_, sessions_, handshakes_, paths_, own_, watch_),
        relay_(ctx_, sessions_),
        punches_(ctx_, sessions_, paths_, own_),
        frames_(ctx_, sessions_, handshakes_, neighbours_),
        flow_(ctx_, sessions_, members_, handshakes_, frames_, probes_, paths_, punches_, relay_),
        own_keys_(ctx_, sessions_),
        routes_(ctx_),
        meta_(ctx_, sessions_, members_, handshakes_, neighbours_, probes_, own_keys_, routes_,
              paths_, own_, watch_) {}

  void begin(const Moment& moment, Actions& out) {
    ctx_.moment = moment;
    ctx_.out = &out;
  }
  void finish() {
    frames_.work();
    probes_.work();
    watch_.work();
    meta_.work();
    ctx_.count(Counter::PeerWalks, ctx_.peers.walks() - walks_);
    walks_ = ctx_.peers.walks();
    ctx_.out = nullptr;
  }

  void datagram(Received& d) {
    ctx_.count(Counter::RxDatagrams);
    ctx_.count(Counter::RxBytes, d.bytes.size());
    if (d.bytes.size() < kHeaderSize) return ctx_.count(Counter::DropLength);
    if (WATTLE_CHECKED(datagram_flags, header_flags(d.bytes) != 0))
      return ctx_.count(Counter::DropHeader);
    if (!ctx_.self.address) return ctx_.count(Counter::DropNotReady);
    d.via = arrival_of(d);
    accept(d);
  }

  // As PACKET over a neighbour's link: its own datagram, or one it relays.
  void carried(const meta_link::Carried& m) {
    const Peer* const hop = ctx_.peers.find(NodeAddress{m.neighbour});
    if (hop == nullptr || WATTLE_CHECKED(carried_neighbour, !hop->neighbour) ||
        m.datagram.size() < kHeaderSize ||
        WATTLE_CHECKED(carried_size, m.datagram.size() > kMostCarried) ||
        WATTLE_CHECKED(carried_flags, header_flags(m.datagram) != 0) || !ctx_.self.address)
      return ctx_.count(Counter::DropCarry);
    const MutableBytes bytes = ctx_.out->allocate(m.datagram.size());
    if (bytes.empty()) return ctx_.count(Counter::DropNoBuffer);
    std::copy(m.datagram.begin(), m.datagram.end(), bytes.begin());
    ctx_.count(Counter::RxDatagrams);
    ctx_.count(Counter::RxBytes, bytes.size());
    const bool own = equal(header_sender(bytes), hop->id);
    Received d{{}, {}, 0, bytes, {own ? PathKind::Carried : PathKind::Routed, hop->slot}};
    accept(d);
  }

  // Over UDP, the hop byte tells who came straight.
  Arrival arrival_of(const Received& d) {
    if (header_hops(d.bytes) == 0 && equal(header_recipient(d.bytes), ctx_.self.id)) return {};
    const Peer* const hop = ctx_.endpoints.find(ctx_.peers, d.source);
    const std::uint32_t slot = hop == nullptr ? kNoSlot : hop->slot;
    return {header_hops(d.bytes) == 0 ? PathKind::Direct : PathKind::Routed, slot};
  }

  void accept(Received& d) {
    if (!equal(header_recipient(d.bytes), ctx_.self.id)) return relay_.relay(d);
    switch (static_cast<WireType>(header_type(d.bytes))) {
      case WireType::Transport:
        return flow_.transport(d);
      case WireType::Message1:
        return handshakes_.message1(d);
      case WireType::Message2:
        return handshakes_.message2(d);
      case WireType::Stale:
        return handshakes_.stale(d);
      case WireType::Cookie:
        return handshakes_.cookie(d);
    }
    ctx_.count(is_reserved(header_type(d.bytes)) ? Counter::DropReservedType : Counter::DropType);
  }

  void device(const DeviceState& state) {
    const bool moved = !ctx_.device.addresses.empty() && ctx_.device.addresses != state.addresses;
    ctx_.device = state;
    const auto& own = state.addresses;
    for (const auto& peer : ctx_.peers.walk()) {
      if (!peer->path || !peer->path->is_direct()) continue;
      // An address that is gone cannot be sent from: let the kernel choose.
      if (!peer->path->local.is_unspecified() &&
          std::find(own.begin(), own.end(), peer->path->local) == own.end())
        peer->path->local = IpAddress{};
      const bool matters = peer->neighbour || paths_.has_traffic(*peer, PathDesk::kNatTraffic);
      if (moved && matters && peer->current) paths_.suspect(*peer);
    }
    meta_.local_endpoints();
    meta_.wake();
  }

  void key_message(const key_link::ToCryptod::Message& message) {
    if (const auto* identity = std::get_if<key_link::Identity>(&message))
      own_keys_.identity(*identity);
    if (const auto* record = std::get_if<key_link::PacketKey>(&message)) {
      own_keys_.signed_record(*record);
      meta_.wake();
    }
    if (const auto* refused = std::get_if<key_link::PacketKeyRefused>(&message))
      own_keys_.refused(*refused);
    if (const auto* last = std::get_if<key_link::LastRecord>(&message))
      own_keys_.last_record(*last);
    if (const auto* version = std::get_if<key_link::DocumentVersion>(&message))
      own_keys_.document_version(*version);
  }

  void too_big(const Endpoint& destination, std::size_t bytes) {
    constexpr std::size_t kUdp = 8, kIpv4 = 20, kIpv6 = 40;
    Peer* const peer = ctx_.endpoints.find(ctx_.peers, destination);
    const std::size_t size = bytes + kUdp + (destination.address.is_v4() ? kIpv4 : kIpv6);
    if (peer != nullptr) paths_.too_big(*peer, size);
  }

  void tick() {
    while (ctx_.deadlines.first() <= ctx_.now()) {
      Peer& peer = ctx_.peers.at(ctx_.deadlines.first_slot());
      ctx_.count(Counter::PeersDue);
      handshakes_.due(peer);
      flow_.due(peer);
      const Instant next = deadline_of(peer);
      ctx_.deadlines.set(peer.slot,
                         next == kNever ? kNever : std::max(next, ctx_.now() + kLeastPause));
    }
    watch_.due();
    own_keys_.due();
    members_.expire();
    members_.make_room();
  }

  Instant next_deadline() {
    return std::min({ctx_.deadlines.first(), own_keys_.next(), probes_.next(), meta_.next(),
                     watch_.next(), members_.next()});
  }

  EngineContext ctx_;
  SessionKeeper sessions_;
  NeighbourDesk neighbours_;
  MemberBook members_;
  OwnEndpoints own_;
  PathDesk paths_;
  HandshakeFlow handshakes_;
  NeighbourWatch watch_;
  ProbeDesk probes_;
  RelayFlow relay_;
  PunchDesk punches_;
  FrameFlow frames_;
  SessionFlow flow_;
  OwnKeyFlow own_keys_;
  RouteFlow routes_;
  MetaFlow meta_;

 private:
  Instant deadline_of(const Peer& peer) const {
    Instant next = std::min({peer.start_at, peer.keepalive_at, peer.unanswered_at, peer.confirm_at,
                             peer.previous_until, peer.next_until, peer.queue.expires(),
                             paths_.next(peer), punches_.next(peer)});
    if (peer.handshake) next = std::min(next, peer.handshake->retry_at);
    if (peer.current) next = std::min(next, peer.current->born() + kRejectAfter);
    if (peer.queue.empty() || peer.handshake || sessions_.can_send(peer)) return next;
    if (peer.next) next = std::min(next, peer.next->born() + HandshakeFlow::kAwaitConfirmation);
    return std::min(next, peer.want_at);
  }

  std::uint64_t walks_ = 0;  // counted
};

Engine::Engine(const EngineConfig& config, Random& random)
    : impl_(std::make_unique<Impl>(config, random)) {}
Engine::~Engine() = default;

void Engine::datagrams(const Moment& moment, std::span<Received> batch, Actions& out) {
  impl_->begin(moment, out);
  for (Received& d : batch) impl_->datagram(d);
  impl_->finish();
}

void Engine::frames(const Moment& moment, std::span<const TapFrame> batch, Actions& out) {
  impl_->begin(moment, out);
  for (const TapFrame& frame : batch) impl_->frames_.outgoing(frame);
  impl_->finish();
}

void Engine::device(const Moment& moment, const DeviceState& state, Actions& out) {
  impl_->begin(moment, out);
  impl_->device(state);
  impl_->finish();
}

void Engine::key_message(const Moment& moment, const key_link::ToCryptod::Message& message,
                         Actions& out) {
  impl_->begin(moment, out);
  impl_->key_message(message);
  impl_->finish();
}

void Engine::key_lost(const Moment&) { impl_->own_keys_.key_lost(); }

void Engine::meta_connected(const Moment& moment, Actions& out) {
  impl_->begin(moment, out);
  impl_->meta_.connected();
  impl_->meta_.wake();
  impl_->finish();
}

void Engine::meta_message(const Moment& moment, const meta_link::ToCryptod::Message& message,
                          Actions& out) {
  impl_->begin(moment, out);
  if (const auto* carried = std::get_if<meta_link::Carried>(&message))
    impl_->carried(*carried);
  else
    impl_->meta_.message(message);
  impl_->finish();
}

void Engine::meta_lost(const Moment&) { impl_->meta_.lost(); }

void Engine::too_big(const Moment& moment, const Endpoint& destination, std::size_t bytes) {
  impl_->ctx_.moment = moment;
  impl_->too_big(destination, bytes);
}

void Engine::tick(const Moment& moment, Actions& out) {
  impl_->begin(moment, out);
  impl_->tick();
  impl_->finish();
}

Instant Engine::next_deadline() const { return impl_->next_deadline(); }
Counters& Engine::counters() { return impl_->ctx_.counters; }
bool Engine::ready() const { return impl_->ctx_.self.key() != nullptr; }

}  // namespace wattle::cryptod
