#include "cryptod/core/probe_desk.h"

#include <algorithm>

#include "common/base/writer.h"

namespace wattle::cryptod {

namespace {

constexpr std::uint8_t kQuestion = 0, kAnswer = 1;

std::uint32_t micros(Duration d) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(d).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 1, UINT32_MAX));
}

}  // namespace

void ProbeDesk::send_question(Peer& peer, const Path& path, std::uint64_t nonce) {
  ByteArray<kBody> body{};
  FixedWriter(body).u64(nonce).u8(kQuestion);
  ctx_.count(Counter::ProbesSent);
  sessions_.send_on(peer, *peer.current, path, InnerType::Probe, body);
}

void ProbeDesk::consider(Peer& peer, const Path& from) {
  if (peer.path && *peer.path == from) {
    peer.trial.reset();  // it still speaks the old way
    return;
  }
  if (peer.trial && ctx_.now() < peer.trial->sent + kTrialPause) return;
  if (!peer.current || !peer.current->can_send(ctx_.now())) return;
  peer.trial = PathTrial{from, ctx_.random.u64(), ctx_.now()};
  send_question(peer, from, peer.trial->nonce);
}

bool ProbeDesk::probe(Peer& peer, Session& session, const Path& from, ByteView body) {
  if (body.size() != kBody || body[8] > kAnswer) return false;
  if (body[8] == kAnswer) {
    answered(peer, from, read_u64(body, 0));
  } else if (session.can_send(ctx_.now())) {
    ByteArray<kBody> reply = to_array<kBody>(body);
    reply[8] = kAnswer;
    sessions_.send_on(peer, session, from, InnerType::Probe, reply);
  }
  return true;
}

void ProbeDesk::answered(Peer& peer, const Path& from, std::uint64_t nonce) {
  if (peer.trial && peer.trial->nonce == nonce && peer.trial->path == from) {
    peer.rtt_us = micros(ctx_.now() - peer.trial->sent);
    sessions_.set_path(peer, from);
    peer.trial.reset();
    ctx_.count(Counter::PathChanges);
    ctx_.mark_dirty(peer);
    return;
  }
  const auto ping = std::find_if(pings_.begin(), pings_.end(), [&](const Ping& p) {
    return p.sent && p.slot == peer.slot && p.nonce == nonce;
  });
  if (ping == pings_.end()) return;
  peer.rtt_us = micros(ctx_.now() - ping->sent_at);
  ctx_.count(Counter::ProbesAnswered);
  ctx_.tell_metad(meta_link::ProbeAnswer{
      ping->id, true, peer.rtt_us, meta_link::PeerWay::Direct, from.remote, {}});
  pings_.erase(ping);
}

void ProbeDesk::ping(const meta_link::Probe& request) {
  Peer* const peer = ctx_.peers.find(NodeAddress{request.address});
  if (peer == nullptr || pings_.size() >= kPings) {
    ctx_.tell_metad(meta_link::ProbeAnswer{request.id, false, 0, meta_link::PeerWay::None, {}, {}});
    return;
  }
  pings_.push_back({.id = request.id,
                    .slot = peer->slot,
                    .nonce = ctx_.random.u64(),
                    .sent = false,
                    .asked = ctx_.now(),
                    .sent_at = {}});
  if (sessions_.can_send(*peer)) return;
  peer->wanted = true;
  handshakes_.want(*peer);
}

void ProbeDesk::work() {
  if (pings_.empty()) return;
  for (Ping& ping : pings_) {
    Peer& peer = ctx_.peers.at(ping.slot);
    if (!ping.sent && ctx_.now() < ping.asked + kPingLife && sessions_.can_send(peer)) {
      ping.sent = true;
      ping.sent_at = ctx_.now();
      send_question(peer, *peer.path, ping.nonce);
    }
  }
  std::erase_if(pings_, [&](const Ping& ping) {
    if (ctx_.now() < ping.asked + kPingLife) return false;
    ctx_.tell_metad(meta_link::ProbeAnswer{ping.id, false, 0, meta_link::PeerWay::None, {}, {}});
    return true;
  });
}

Instant ProbeDesk::next() const {
  Instant next = kNever;
  for (const Ping& ping : pings_) next = std::min(next, ping.asked + kPingLife);
  return next;
}

}  // namespace wattle::cryptod
