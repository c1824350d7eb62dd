// Cookies (security.md 2.5.3, vectors' decisions 9 and 10): told to who asks for work while there
// is too much of it, and what becomes of one that we are told.
#include <algorithm>

#include "common/base/mutant.h"
#include "cryptod/core/handshake_flow.h"

namespace wattle::cryptod {

HandshakeGate::Place HandshakeFlow::place_of(const Received& d) const {
  HandshakeGate::Place place{d.source, {}, to_array<8>(header_sender(d.bytes))};
  if (d.via.kind != PathKind::Direct && d.via.hop != kNoSlot)
    place.relay = ctx_.peers.at(d.via.hop).id;
  return place;
}

// It comes from where that member is, by what metad or a session said.
bool HandshakeFlow::is_expected(const Received& d) const {
  const Peer* const peer = ctx_.peers.find(to_array<8>(header_sender(d.bytes)));
  if (peer == nullptr) return false;
  if (d.via.kind != PathKind::Direct) return d.via.hop != kNoSlot;
  if (peer->path && peer->path->is_direct() && peer->path->remote == d.source) return true;
  return std::find(peer->candidates.begin(), peer->candidates.end(), d.source) !=
         peer->candidates.end();
}

// mac1 was right. Seven times smaller than what it answers.
void HandshakeFlow::tell_cookie(const LocalKey& used, const Received& d,
                                const HandshakeGate::Place& place, bool expected) {
  if (!gate_.may_tell_cookie(ctx_.now(), expected)) return ctx_.count(Counter::DropHandshakeBudget);
  const MutableBytes out = ctx_.out->allocate(kCookieSize);
  if (out.empty()) return ctx_.count(Counter::DropNoBuffer);
  ByteArray<16> salt{};
  ctx_.random.fill(salt);
  seal_note(WireType::Cookie, used.record, d.bytes, salt, gate_.cookie(ctx_.now(), place), out);
  ctx_.count(Counter::CookiesTold);
  sessions_.send_back(d, out);
}

// The same message 1 once more, now with mac2, by the way the cookie came: it is good for that way
// only. Once for each message 1.
void HandshakeFlow::cookie(const Received& d) {
  if (d.bytes.size() != kCookieSize) return refuse(WireCheck::Length);
  const std::uint32_t index = read_u32(d.bytes, kHeaderSize);
  const auto place = ctx_.indices.find(index);
  if (place == ctx_.indices.end()) return refuse(WireCheck::ReceiverIndex);
  Peer& peer = ctx_.peers.at(place->second);
  if (!peer.handshake || peer.handshake->initiator.index() != index)
    return refuse(WireCheck::ReceiverIndex);
  if (WATTLE_CHECKED(cookie_once, peer.handshake->told_cookie)) return refuse(WireCheck::Replay);
  const WireCheck check = peer.handshake->initiator.cookie(d.bytes);
  if (check != WireCheck::Accept) return refuse(check);
  peer.handshake->told_cookie = true;
  ctx_.count(Counter::CookiesHeard);
  const Path path = path_of(d);
  if (!WATTLE_CHECKED(cookie_path, paths_.allowed(peer, path)))
    return ctx_.count(Counter::DropNoEndpoint);
  const MutableBytes out = ctx_.out->allocate(kMessage1Size);
  if (out.empty()) return ctx_.count(Counter::DropNoBuffer);
  std::copy_n(peer.handshake->initiator.message1().begin(), kMessage1Size, out.begin());
  peer.handshake->sent = ctx_.now();
  sessions_.send_raw(peer, path, out);
}

}  // namespace wattle::cryptod
