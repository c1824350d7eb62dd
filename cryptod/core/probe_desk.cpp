#include "cryptod/core/probe_desk.h"

#include <algorithm>

#include "common/base/mutant.h"
#include "cryptod/core/probe_body.h"

namespace wattle::cryptod {

namespace {

std::uint32_t micros(Duration d) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(d).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 1, UINT32_MAX));
}

}  // namespace

meta_link::PeerWay way_of(const Path& path) {
  switch (path.kind) {
    case PathKind::Direct:
      return meta_link::PeerWay::Direct;
    case PathKind::Routed:
      return meta_link::PeerWay::Routed;
    case PathKind::Carried:
      break;
  }
  return meta_link::PeerWay::Carried;
}

void ProbeDesk::send_question(Peer& peer, const Path& path, std::uint64_t nonce) {
  ByteArray<kProbeMost> body;
  const std::size_t size = build_probe({nonce, false, {}}, body);
  ctx_.count(Counter::ProbesSent);
  sessions_.send_on(peer, *peer.current, path, InnerType::Probe, ByteView(body).first(size),
                    SessionKeeper::Expects::Answer);
}

bool ProbeDesk::probe(Peer& peer, Session& session, const Path& from, ByteView body) {
  const auto probe = parse_probe(body);
  if (!probe) return false;
  if (probe->answer) {
    if (probe->seen && WATTLE_CHECKED(seen_direct, from.is_direct()) &&
        WATTLE_CHECKED(seen_neighbour, peer.neighbour))
      own_.told(peer, *probe->seen);
    answered(peer, from, probe->nonce);
  } else if (session.can_send(ctx_.now())) {
    ProbeBody reply{probe->nonce, true, {}};
    if (from.is_direct()) reply.seen = from.remote;
    ByteArray<kProbeMost> bytes;
    const std::size_t size = build_probe(reply, bytes);
    sessions_.send_on(peer, session, from, InnerType::Probe, ByteView(bytes).first(size),
                      SessionKeeper::Expects::Nothing);
    watch_.asked(peer, from);
  }
  return true;
}

void ProbeDesk::answered(Peer& peer, const Path& from, std::uint64_t nonce) {
  if (paths_.answered(peer, from, nonce) || watch_.answered(peer, from, nonce)) return;
  const auto ping = std::find_if(pings_.begin(), pings_.end(), [&](const Ping& p) {
    return p.sent && p.slot == peer.slot && p.nonce == nonce;
  });
  if (ping == pings_.end()) return;
  peer.rtt_us = micros(ctx_.now() - ping->sent_at);
  ctx_.count(Counter::ProbesAnswered);
  meta_link::ProbeAnswer answer{ping->id, true, peer.rtt_us, way_of(from), from.remote, {}};
  if (from.kind == PathKind::Routed)
    if (const Peer* const hop = ctx_.first_hop(peer)) answer.first_hop = hop->address.bytes;
  ctx_.tell_metad(answer);
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
