#include "cryptod/core/neighbour_watch.h"

#include <algorithm>
#include <bit>

#include "cryptod/core/probe_body.h"

namespace wattle::cryptod {

using meta_link::LinkState;
using meta_link::LinkWay;

namespace {

// protocols.md 5.2: the first sample counts double, later ones are smoothed.
constexpr double kAlpha = 0.836;

// Microseconds. What a busy host adds to a LAN's round trip is no news: metad is not woken by it.
constexpr std::uint64_t kLeastRtt = 2000;

// A fifth, and enough to matter for a cost: below `least` all is the same.
bool has_moved(std::uint64_t from, std::uint64_t to, std::uint64_t least) {
  const std::uint64_t step = from > to ? from - to : to - from;
  return step >= least && step * 5 > from;
}

std::uint32_t micros(Duration d) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(d).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 0, UINT32_MAX));
}

}  // namespace

// ---- what metad says -------------------------------------------------------------------------

NeighbourWatch::Watched* NeighbourWatch::find(const Peer& peer) {
  return peer.watched_at == kNoSlot ? nullptr : &watched_[peer.watched_at];
}

void NeighbourWatch::connected() {
  for (Watched& w : watched_) {
    w.held = true;
    tell(w, ctx_.peers.at(w.slot), true);
    schedule(w);
  }
}

void NeighbourWatch::neighbour(const meta_link::Neighbour& m) {
  NodeAddress who{m.address};
  Peer* peer = ctx_.peers.find(who);
  if (peer == nullptr && m.linked && parse_address(m.address, who) == AddressFault::None &&
      who != ctx_.self.address) {
    PeerTable::Fault fault{};
    peer = ctx_.peers.add(who, fault);
    if (peer == nullptr)
      ctx_.refuse(fault == PeerTable::Fault::Full ? Counter::MembersFull : Counter::MemberClash,
                  "meta", meta_link::Neighbour::kName,
                  fault == PeerTable::Fault::Full ? "full" : "short_id", who);
  }
  if (peer == nullptr) return;
  Watched* w = find(*peer);
  if (!m.linked) {
    if (w != nullptr) forget(*w);
  } else {
    if (w == nullptr) {
      if (watched_.size() >= kMost)
        return ctx_.refuse(Counter::MembersFull, "meta", meta_link::Neighbour::kName, "full",
                           peer->address);
      // Not at the same moment as the other side, to which the link is new, too.
      if (watched_.empty()) beat_ = ctx_.now() + kLately + ctx_.jitter(kLately);
      peer->neighbour = true;
      paths_.neighbour_changed(*peer);
      peer->watched_at = static_cast<std::uint32_t>(watched_.size());
      w = &watched_.emplace_back(Watched{.slot = peer->slot});
      w->told.address = peer->address.bytes;
    }
    w->held = false;
    w->forget_at = kNever;
    tell(*w, *peer, true);
    keep_session(*w, *peer);
    if (peer->link_way == LinkWay::Down && w->lost_at == kNever) probe(*w, *peer);
    schedule(*w);
  }
}

void NeighbourWatch::snapshot_end() {
  for (Watched& w : watched_) {
    if (w.held) w.forget_at = ctx_.now() + kGrace;
    schedule(w);
  }
}

void NeighbourWatch::forget(Watched& w) {
  Peer& peer = ctx_.peers.at(w.slot);
  peer.neighbour = false;
  ctx_.peers.taken_away();
  peer.link_way = LinkWay::Down;
  paths_.neighbour_changed(peer);
  deadlines_.set(w.slot, kNever);
  ctx_.peers.at(watched_.back().slot).watched_at = peer.watched_at;
  peer.watched_at = kNoSlot;
  std::swap(w, watched_.back());
  watched_.pop_back();
}

// ---- sessions --------------------------------------------------------------------------------

// Made if there is none or its probes are lost; renewed in time though no frame asks for it.
void NeighbourWatch::keep_session(Watched& w, Peer& peer) {
  const bool works = sessions_.can_send(peer) && w.lost < kLost;
  if (works) {
    const Duration grace = peer.current->initiator() ? Duration{} : kResponderGrace;
    if (peer.current->wants_rekey(ctx_.now() - grace)) handshakes_.want(peer);
    return;
  }
  peer.wanted = !sessions_.can_send(peer);
  if (peer.handshake || ctx_.now() < w.want_at) return;
  w.want_at = ctx_.now() + w.want_pause;
  w.want_pause = std::min(2 * w.want_pause, kRetryMost);
  handshakes_.want(peer);
}

void NeighbourWatch::work() {
  for (std::size_t i = 0; i < ctx_.dirty.size(); ++i) {  // it may grow meanwhile
    Peer& peer = ctx_.peers.at(ctx_.dirty[i]);
    Watched* const w = find(peer);
    if (w == nullptr) continue;
    if (!peer.current) {
      set_way(*w, peer, LinkWay::Down);
      w->lost_at = kNever;
      keep_session(*w, peer);
    } else if (peer.link_way == LinkWay::Down && w->lost_at == kNever) {
      probe(*w, peer);
    }
    schedule(*w);
  }
}

// ---- probes ----------------------------------------------------------------------------------

void NeighbourWatch::asked(Peer& peer, const Path& from) {
  Watched* const w = find(peer);
  if (w == nullptr || from.kind == PathKind::Routed || w->lost_at != kNever ||
      peer.link_way == LinkWay::Down || ctx_.now() < w->sent + kLately)
    return;
  keep_session(*w, peer);
  probe(*w, peer);
  schedule(*w);
}

void NeighbourWatch::probe(Watched& w, Peer& peer) {
  if (!sessions_.can_send(peer)) return;
  // What reaches it through others says nothing of the link; the link itself may still carry.
  const bool routed = peer.path->kind == PathKind::Routed;
  if (routed && !ctx_.meta_up) return;
  w.nonce = ctx_.random.u64();
  w.sent = ctx_.now();
  w.lost_at = ctx_.now() + std::clamp<Duration>(4 * w.rtt, kPatience, kBeat);
  ByteArray<kProbeMost> body{};
  const std::size_t size = build_probe({w.nonce, false, {}}, body);
  ctx_.count(Counter::ProbesSent);
  sessions_.send_on(peer, *peer.current, routed ? Path::carried() : *peer.path, InnerType::Probe,
                    ByteView(body).first(size), SessionKeeper::Expects::Answer);
}

void NeighbourWatch::count_probe(Watched& w, bool missed) {
  w.misses = static_cast<std::uint16_t>(w.misses << 1 | (missed ? 1 : 0));
  w.probes = std::min(w.probes + 1, kHistory);
}

bool NeighbourWatch::answered(Peer& peer, const Path& from, std::uint64_t nonce) {
  Watched* const w = find(peer);
  if (w == nullptr || w->lost_at == kNever || w->nonce != nonce) return false;
  if (from.kind == PathKind::Routed || !peer.path) return true;
  if (from.is_direct() && !peer.path->is_direct()) return true;  // left meanwhile
  const Duration sample = ctx_.now() - w->sent;
  w->rtt = w->rtt == Duration{} ? 2 * sample
                                : Duration(static_cast<Duration::rep>(
                                      kAlpha * static_cast<double>(w->rtt.count()) +
                                      (1 - kAlpha) * static_cast<double>(sample.count())));
  w->rtt = std::max(w->rtt, Duration(std::chrono::microseconds(1)));
  peer.rtt_us = std::max(micros(sample), 1u);
  w->lost_at = kNever;
  peer.anew = 0;
  w->lost = 0;
  w->want_at = {};
  w->want_pause = kRetryFirst;
  count_probe(*w, false);
  ctx_.count(Counter::ProbesAnswered);
  set_way(*w, peer, from.is_direct() ? LinkWay::Udp : LinkWay::Carried);
  tell(*w, peer, false);
  schedule(*w);
  return true;
}

void NeighbourWatch::missed(Watched& w, Peer& peer) {
  w.lost_at = kNever;
  count_probe(w, true);
  // It may not hear us though we hear it. It says so by beginning handshakes though there is a
  // session, which it does after as many lost probes of its own, and again if it does not hear the
  // answer either. That it keeps it to itself cannot go on for the whole history.
  const bool says_so = peer.anew >= kDeaf && w.sent >= peer.anew_at &&
                       std::countr_one(w.misses) >= static_cast<int>(kLost);
  const bool deaf = says_so || (w.probes == kHistory && w.misses == 0xffff);
  w.lost = peer.heard_at >= w.sent ? 0 : w.lost + 1;
  if (deaf) w.lost = std::max(w.lost, kLost);
  if (w.lost >= kLost) {
    set_way(w, peer, LinkWay::Down);
    if (deaf) paths_.unheard(peer);
    keep_session(w, peer);
  } else {
    if (peer.path && peer.path->kind != PathKind::Routed) paths_.suspect(peer);
    probe(w, peer);
  }
  tell(w, peer, false);
}

void NeighbourWatch::due() {
  while (deadlines_.first() <= ctx_.now())
    look_after(*find(ctx_.peers.at(deadlines_.first_slot())));
}

void NeighbourWatch::look_after(Watched& w) {
  if (w.forget_at <= ctx_.now()) return forget(w);
  Peer& peer = ctx_.peers.at(w.slot);
  const bool beat = w.beat_at <= ctx_.now();
  if (beat) w.beat_at = kNever;
  if (w.lost_at <= ctx_.now()) missed(w, peer);
  if (w.tell_at <= ctx_.now()) tell(w, peer, false);
  const bool retry = !sessions_.can_send(peer) && !peer.handshake && w.want_at <= ctx_.now();
  if (beat || retry) keep_session(w, peer);
  if (beat && w.lost_at == kNever && w.sent + kLately <= ctx_.now()) probe(w, peer);
  schedule(w);
}

// ---- what metad is told ----------------------------------------------------------------------

void NeighbourWatch::set_way(Watched& w, Peer& peer, LinkWay way) {
  if (peer.link_way == way) return;
  peer.link_way = way;
  if (way != LinkWay::Down) paths_.neighbour_changed(peer);
  tell(w, peer, true);
}

void NeighbourWatch::tell(Watched& w, const Peer& peer, bool anyway) {
  LinkState now{peer.address.bytes, peer.link_way, micros(w.rtt), 0};
  if (w.probes != 0)
    now.loss_permille = static_cast<std::uint16_t>(static_cast<unsigned>(std::popcount(w.misses)) *
                                                   1000 / w.probes);
  w.tell_at = kNever;
  if (!anyway) {
    // A metad that is not there is told all when it comes.
    const bool news =
        peer.link_way != LinkWay::Down && (has_moved(w.told.rtt_us, now.rtt_us, kLeastRtt) ||
                                           has_moved(w.told.loss_permille, now.loss_permille, 1));
    if (!news || !ctx_.meta_up) return;
    if (ctx_.now() < w.told_at + kTellPause) {
      w.tell_at = w.told_at + kTellPause;
      return;
    }
  }
  w.told = now;
  w.told_at = ctx_.now();
  ctx_.tell_metad(now);
}

// Late ticks do not shift the beat, and missed ones are not made up for.
void NeighbourWatch::pass_beats() {
  if (beat_ <= ctx_.now()) beat_ += kBeat * ((ctx_.now() - beat_) / kBeat + 1);
}

// A beat that has come stays due until it has been looked after.
void NeighbourWatch::schedule(Watched& w) {
  if (w.beat_at > ctx_.now()) {
    pass_beats();
    w.beat_at = beat_ < w.sent + kLately ? beat_ + kBeat : beat_;
  }
  Instant next = std::min({w.beat_at, w.forget_at, w.lost_at, w.tell_at});
  const Peer& peer = ctx_.peers.at(w.slot);
  if (!sessions_.can_send(peer) && !peer.handshake)
    next = std::min(next, std::max(w.want_at, ctx_.now() + kRetryFirst / 10));
  deadlines_.set(w.slot, next);
}

}  // namespace wattle::cryptod
