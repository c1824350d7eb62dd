#include "cryptod/core/handshake_flow.h"

#include <algorithm>

#include "common/base/mutant.h"
#include "cryptod/core/path_words.h"

namespace wattle::cryptod {

Counter counter_of(WireCheck check) {
  switch (check) {
    case WireCheck::Accept:
      break;
    case WireCheck::Length:
      return Counter::DropLength;
    case WireCheck::Header:
      return Counter::DropHeader;
    case WireCheck::Recipient:
      return Counter::DropRecipient;
    case WireCheck::Type:
      return Counter::DropType;
    case WireCheck::Epoch:
      return Counter::DropEpoch;
    case WireCheck::Mac1:
      return Counter::DropMac1;
    case WireCheck::Mac2:
      return Counter::DropMac2;
    case WireCheck::Mac2Zero:
      return Counter::DropMac2Zero;
    case WireCheck::Stale:
      return Counter::DropStale;
    case WireCheck::Point:
      return Counter::DropPoint;
    case WireCheck::TagC1:
      return Counter::DropTagC1;
    case WireCheck::TagC2:
      return Counter::DropTagC2;
    case WireCheck::TagC3:
      return Counter::DropTagC3;
    case WireCheck::Tag:
      return Counter::DropTag;
    case WireCheck::KeyMismatch:
      return Counter::DropKeyMismatch;
    case WireCheck::Self:
      return Counter::DropSelf;
    case WireCheck::Sender:
      return Counter::DropSender;
    case WireCheck::Replay:
      return Counter::DropReplay;
    case WireCheck::ReceiverIndex:
      return Counter::DropReceiverIndex;
    case WireCheck::CounterLimit:
      return Counter::DropCounterLimit;
    case WireCheck::PkrEpoch:
      return Counter::DropEpoch;
  }
  WATTLE_UNREACHABLE();
}

void HandshakeFlow::refuse(WireCheck check) { ctx_.count(counter_of(check)); }

// ---- beginning -------------------------------------------------------------------------------

void HandshakeFlow::want(Peer& peer) {
  if (peer.handshake || peer.start_at != kNever || ctx_.self.key() == nullptr) return;
  if (peer.next && ctx_.now() < peer.next->born() + kAwaitConfirmation) return;
  if (!members_.usable(peer)) {
    members_.ask(peer, peer.seen ? peer.seen->epoch + 1 : 0);
    return;
  }
  if (peer.stale) members_.ask(peer, peer.seen->epoch + 1);  // and try the one at hand meanwhile
  if (!starts_.take(ctx_.now())) {
    ctx_.count(Counter::HandshakesPaced);
    peer.start_at = starts_.ready_at(ctx_.now()) + ctx_.jitter(std::chrono::milliseconds(50));
    ctx_.deadlines.lower(peer.slot, peer.start_at);
    return;
  }
  ctx_.count(Counter::HandshakesStarted);
  attempt(peer, ctx_.now(), 1);
}

void HandshakeFlow::begin_anew(Peer& peer) {
  sessions_.drop_handshake(peer);
  want(peer);
}

std::size_t HandshakeFlow::gather_paths(const Peer& peer, std::uint32_t tries,
                                        std::array<Path, kPathsAtOnce>& out) const {
  std::size_t count = 0;
  const auto add = [&](const Path& path) {
    const auto end = out.begin() + static_cast<std::ptrdiff_t>(count);
    const bool known =
        std::any_of(out.begin(), end, [&](const Path& p) { return same_way(p, path); });
    if (!known && count < out.size()) out[count++] = path;
  };
  if (peer.path && paths_.allowed(peer, *peer.path)) add(*peer.path);
  // A rekey over a path that works needs no other.
  if (count == 1 && tries == 1 && peer.current && peer.unanswered_at == kNever && !peer.way.left)
    return count;
  std::array<Endpoint, PathDesk::kAtOnce> endpoints;
  const std::size_t candidates = paths_.candidates(peer, tries - 1, endpoints);
  for (std::size_t i = 0; i < candidates; ++i) add(Path::direct(endpoints[i]));
  if (paths_.allowed(peer, Path::routed())) add(Path::routed());
  if ((tries >= kCarriedTry || candidates == 0) && paths_.allowed(peer, Path::carried()))
    add(Path::carried());
  return count;
}

// A first contact, or one more after the peer has been silent.
void HandshakeFlow::say_attempt(Peer& peer, std::span<const Path> paths) {
  if (peer.current && !peer.way.left) return;
  std::string sentence;
  for (const Path& path : paths)
    sentence += (sentence.empty() ? "handshake begun: " : ", ") + way_text(ctx_, peer, path);
  if (paths.empty()) sentence = "no way known: no endpoint that may be used, no route, no link";
  paths_.note(peer, std::move(sentence));
}

Duration HandshakeFlow::pause_after(const Peer& peer, std::uint32_t tries) {
  if (is_returning(peer) && tries <= kReturnTries) {
    const Duration pause = kReturnRetry * (1 << (tries - 1));
    return pause + ctx_.jitter(pause / 8);
  }
  return (tries == 1 ? kFirstRetry : kRetry) + ctx_.jitter(kRetryJitter);
}

void HandshakeFlow::attempt(Peer& peer, Instant first, std::uint32_t tries) {
  std::array<Path, kPathsAtOnce> paths;
  const std::size_t count = gather_paths(peer, tries, paths);
  LocalKey* const own = ctx_.self.key();
  sessions_.drop_handshake(peer);
  if (own == nullptr || !peer.member) return;
  if (tries == 1 || count == 0) say_attempt(peer, std::span(paths).first(count));
  if (count == 0) {
    ctx_.count(Counter::DropNoEndpoint);
    if (!is_returning(peer)) return;
    peer.start_at = ctx_.now() + kReturnRetry;
    return ctx_.deadlines.lower(peer.slot, peer.start_at);
  }
  const std::uint32_t index = ctx_.new_index(peer.slot);
  auto initiator =
      Initiator::make(ctx_.config.network, ctx_.self.keys.share_current(), peer.address,
                      peer.member->record, ctx_.new_key(), index, own->next_counter++);
  if (!initiator) {
    ctx_.indices.erase(index);
    return;
  }
  const Instant retry_at = ctx_.now() + pause_after(peer, tries);
  peer.handshake = std::make_unique<PendingHandshake>(
      PendingHandshake{std::move(initiator).value(), first, ctx_.now(), retry_at, tries});
  ctx_.deadlines.lower(peer.slot, retry_at);
  ctx_.mark_dirty(peer);
  const MutableBytes out = ctx_.out->allocate(kMessage1Size);
  if (out.empty()) return ctx_.count(Counter::DropNoBuffer);
  std::copy_n(peer.handshake->initiator.message1().begin(), kMessage1Size, out.begin());
  for (std::size_t i = 0; i < count; ++i) sessions_.send_raw(peer, paths[i], out);
}

void HandshakeFlow::due(Peer& peer) {
  if (peer.start_at <= ctx_.now()) {
    peer.start_at = kNever;
    want(peer);
  }
  if (!peer.handshake || ctx_.now() < peer.handshake->retry_at) return;
  const Instant first = peer.handshake->first;
  const std::uint32_t tries = peer.handshake->tries;
  if (ctx_.now() >= first + kGiveUp) {
    ctx_.count(Counter::HandshakesGivenUp);
    paths_.note(peer, "no answer to handshakes in 90 s: given up until frames want it again");
    ctx_.count(Counter::DropQueueOld, peer.queue.clear(ctx_.queued));
    sessions_.drop_handshake(peer);
    peer.given_up = true;
    peer.given_up_at = ctx_.now();
    peer.wanted = false;
    return;
  }
  // No answer: its key may be another one by now.
  if (peer.seen && !(is_returning(peer) && tries < kReturnTries))
    members_.ask(peer, peer.seen->epoch + 1);
  if (members_.usable(peer)) {
    attempt(peer, first, tries + 1);
  } else {
    sessions_.drop_handshake(peer);
    want(peer);
  }
}

// ---- message 1 -------------------------------------------------------------------------------

void HandshakeFlow::message1(const Received& d) {
  if (ctx_.self.key() == nullptr) return ctx_.count(Counter::DropNotReady);
  LocalKey* own = nullptr;
  const WireCheck knock = check_message1(d.bytes, ctx_.self.id, ctx_.self.keys, own);
  if (knock != WireCheck::Accept) return refuse(knock);
  const bool expected = is_expected(d);
  if (!gate_.may_look(ctx_.now(), expected)) return ctx_.count(Counter::DropHandshakeBudget);
  if (!has_mac1(d.bytes, *own)) return refuse(WireCheck::Mac1);
  const Mac mac = to_array<kMacSize>(ByteView(d.bytes).subspan(562));
  Mac& last = answered_[mac.back()];
  if (WATTLE_CHECKED(handshake_repeated, last == mac))
    return ctx_.count(Counter::DropHandshakeReplay);
  const HandshakeGate::Place place = place_of(d);
  const bool busy = gate_.is_busy(ctx_.now());
  gate_.asked(ctx_.now(), place);
  if (busy && !gate_.has_cookie(ctx_.now(), place, d.bytes)) {
    refuse(WireCheck::Mac2);
    return tell_cookie(*own, d, place, expected);
  }
  switch (gate_.take(ctx_.now(), place, busy, expected)) {
    case HandshakeGate::Verdict::Pass:
      break;
    case HandshakeGate::Verdict::Source:
      return ctx_.count(Counter::DropSourceBudget);
    case HandshakeGate::Verdict::All:
      return ctx_.count(Counter::DropHandshakeBudget);
  }
  if (!own->key) {
    refuse(WireCheck::Stale);
    last = mac;
    return tell_stale(*own, d);
  }
  Responder responder;
  const WireCheck read = responder.read(ctx_.config.network, *ctx_.self.address, *own, d.bytes);
  if (read != WireCheck::Accept) return refuse(read);

  Peer* peer = ctx_.peers.find(responder.initiator());
  Accepted accepted;
  const SeenRecord* const seen = peer != nullptr && peer->seen ? &*peer->seen : nullptr;
  const auto verdict = responder.judge(ctx_.self.trust, ctx_.moment.unix_now,
                                       peer != nullptr ? peer->mark : std::nullopt, seen, accepted);
  if (verdict.wire != WireCheck::Accept) return ctx_.count(Counter::DropHandshakeReplay);
  if (verdict.record != Check::Accept)
    return members_.refused(verdict.record, responder.record(), seen, true);
  PeerTable::Fault fault{};
  if (peer == nullptr) peer = ctx_.peers.add(responder.initiator(), fault);
  if (peer == nullptr)
    return ctx_.count(fault == PeerTable::Fault::Full ? Counter::MembersFull
                                                      : Counter::MemberClash);
  if (!members_.install(*peer, accepted, responder.record(), responder.credential())) return;
  peer->mark = responder.mark();
  // Nobody asks for a new session so early whom ours still serves: it was restarted, or hears
  // nothing.
  if (peer->current && !peer->current->wants_rekey(ctx_.now() + kEarly) && peer->anew++ == 0)
    peer->anew_at = ctx_.now();
  ctx_.came(*peer, d.via);
  last = mac;

  // Both began at once: the higher address stays initiator, unless it used an older record.
  if (peer->handshake && *ctx_.self.address > peer->address &&
      peer->handshake->initiator.epoch() >= accepted.record.epoch) {
    const MutableBytes out = ctx_.out->allocate(kMessage1Size);
    if (out.empty()) return ctx_.count(Counter::DropNoBuffer);
    std::copy_n(peer->handshake->initiator.message1().begin(), kMessage1Size, out.begin());
    sessions_.send_raw(*peer, path_of(d), out);
    return;
  }
  answer(*peer, responder, d);
}

void HandshakeFlow::answer(Peer& peer, const Responder& responder, const Received& d) {
  const MutableBytes out = ctx_.out->allocate(kMessage2Size);
  if (out.empty()) return ctx_.count(Counter::DropNoBuffer);
  SessionKeys keys;
  const std::uint32_t index = ctx_.new_index(peer.slot);
  if (responder.answer(ctx_.new_key(), index, out, keys) != WireCheck::Accept) {
    ctx_.indices.erase(index);
    return;
  }
  sessions_.drop_handshake(peer);
  sessions_.drop_next(peer);
  peer.start_at = kNever;
  peer.next = std::make_unique<Session>(std::move(keys), ctx_.now());
  peer.next_until = ctx_.now() + kKeepNext;
  ctx_.deadlines.lower(peer.slot, ctx_.now() + kAwaitConfirmation);
  ctx_.count(Counter::HandshakesAnswered);
  ctx_.mark_dirty(peer);
  sessions_.send_raw(peer, path_of(d), out);
}

// ---- message 2 -------------------------------------------------------------------------------

void HandshakeFlow::message2(const Received& d) {
  if (d.bytes.size() != kMessage2Size) return refuse(WireCheck::Length);
  const std::uint32_t index = read_u32(d.bytes, 32);
  const auto place = ctx_.indices.find(index);
  if (place == ctx_.indices.end()) return refuse(WireCheck::ReceiverIndex);
  Peer& peer = ctx_.peers.at(place->second);
  if (!peer.handshake || peer.handshake->initiator.index() != index)
    return refuse(WireCheck::ReceiverIndex);
  SessionKeys keys;
  const WireCheck check = peer.handshake->initiator.message2(d.bytes, keys);
  if (check != WireCheck::Accept) return refuse(check);

  const auto micros =
      std::chrono::duration_cast<std::chrono::microseconds>(ctx_.now() - peer.handshake->sent);
  peer.rtt_us = static_cast<std::uint32_t>(std::clamp<std::int64_t>(micros.count(), 1, UINT32_MAX));
  ctx_.came(peer, d.via);
  const Path path = paths_.after_handshake(peer, path_of(d));
  sessions_.adopt(peer, std::make_unique<Session>(std::move(keys), ctx_.now()), path);
  paths_.adopted(peer);
  peer.confirm_left = kConfirmations;
  peer.confirm_at = ctx_.now() + kConfirmAgain;
  ctx_.deadlines.lower(peer.slot, peer.confirm_at);
  sessions_.send_empty(peer);
  sessions_.flush(peer);
}

}  // namespace wattle::cryptod
