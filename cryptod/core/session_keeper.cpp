#include "cryptod/core/session_keeper.h"

#include <algorithm>

#include "cryptod/core/fragments.h"

namespace wattle::cryptod {

namespace {

bool is_frame(InnerType type) {
  switch (type) {
    case InnerType::Frame:
    case InnerType::FullFrame:
    case InnerType::Fragment:
    case InnerType::Unsummed:
    case InnerType::Pack:
      return true;
    default:
      return false;
  }
}

}  // namespace

Path path_of(const Received& d) {
  if (d.via.kind == PathKind::Routed) return Path::routed();
  if (d.via.kind == PathKind::Carried) return Path::carried();
  return Path::direct(d.source, d.local, d.source.address.is_link_local() ? d.interface : 0);
}

void SessionKeeper::send_direct(const Path& path, ByteView bytes) {
  ctx_.out->datagrams.push_back({path.remote, path.local, path.interface, bytes});
  ctx_.count(Counter::TxDatagrams);
  ctx_.count(Counter::TxBytes, bytes.size());
}

void SessionKeeper::send_back(const Received& d, ByteView bytes) {
  const Path back = path_of(d);
  if (back.is_direct()) return send_direct(back, bytes);
  if (const Peer* const to = ctx_.peers.find(to_array<8>(header_sender(d.bytes))))
    return send_raw(*to, back, bytes);
  ctx_.count(Counter::DropNoRoute);
}

void SessionKeeper::send_raw(const Peer& to, const Path& path, ByteView bytes) {
  const Peer* hop = &to;
  const Path* way = &path;
  if (path.kind == PathKind::Routed) {
    hop = ctx_.first_hop(to);  // its own path is never Routed
    if (hop == nullptr) return ctx_.count(Counter::DropNoRoute);
    way = &*hop->path;
  }
  if (way->is_direct()) return send_direct(*way, bytes);
  if (!ctx_.meta_up || bytes.size() > kMostCarried) return ctx_.count(Counter::DropCarry);
  ctx_.tell_metad(meta_link::Carry{hop->address.bytes, to_bytes(bytes)});
  ctx_.count(Counter::Carried);
}

void SessionKeeper::set_path(Peer& peer, const std::optional<Path>& path) {
  ctx_.endpoints.move(peer, path);
  if (!path || !peer.path || path->remote != peer.path->remote) peer.way.size = {};
  peer.path = path;
}

void SessionKeeper::send_on(Peer& peer, Session& session, const Path& path, InnerType type,
                            ByteView body, Expects expects) {
  const MutableBytes out = make_room(body.size());
  if (out.empty()) return;
  session.seal(type, body, out);
  send_raw(peer, path, out);
  account(peer, type, out.size(), expects);
}

MutableBytes SessionKeeper::make_room(std::size_t body) {
  const MutableBytes out = ctx_.out->allocate(kTransportOverhead + body);
  if (out.empty()) ctx_.count(Counter::DropNoBuffer);
  return out;
}

std::size_t SessionKeeper::room(const Peer& peer) const {
  constexpr std::size_t kUdp = 8, kIpv4 = 20, kIpv6 = 40;
  const Peer* by = &peer;
  if (peer.path->kind == PathKind::Routed) {
    if (const Peer* const hop = ctx_.first_hop(peer)) by = hop;
  }
  const bool v4 = by->path->is_direct() && by->path->remote.address.is_v4();
  return by->way.size.at(ctx_.now()) - kUdp - (v4 ? kIpv4 : kIpv6) - kTransportOverhead;
}

void SessionKeeper::send_room(Peer& peer, InnerType type, MutableBytes datagram) {
  peer.current->seal_in_place(type, datagram);
  send_raw(peer, *peer.path, datagram);
  account(peer, type, datagram.size(), Expects::Answer);
}

void SessionKeeper::account(Peer& peer, InnerType type, std::size_t size, Expects expects) {
  peer.tx_bytes += size;
  peer.keepalive_at = kNever;
  if (is_frame(type)) {
    ++peer.tx_frames;
    peer.way.traffic_at = ctx_.now();
    await(peer);
  }
  if (expects == Expects::Answer && peer.unanswered_at == kNever) {
    peer.unanswered_at = ctx_.now() + kUnanswered;
    ctx_.deadlines.lower(peer.slot, peer.unanswered_at);
  }
}

void SessionKeeper::await(Peer& peer) {
  PathState& way = peer.way;
  if (way.waiting_since != kNever) return;
  way.waiting_since = ctx_.now();
  way.probe_at = ctx_.now() + (way.left ? Duration{} : kSilence);
  ctx_.deadlines.lower(peer.slot, way.probe_at);
}

bool SessionKeeper::send(Peer& peer, InnerType type, ByteView body) {
  if (!can_send(peer)) return false;
  if (is_frame(type) && body.size() > room(peer) && send_fragments(peer, type, body)) return true;
  const bool silent = type == InnerType::Empty || type == InnerType::Refusal;
  send_on(peer, *peer.current, *peer.path, type, body, silent ? Expects::Nothing : Expects::Answer);
  return true;
}

// All of them or none: a part alone is of no use. False: it has to go whole, if it can.
bool SessionKeeper::send_fragments(Peer& peer, InnerType type, ByteView body) {
  ask_takes(peer);
  const std::size_t part = fragment_size(body.size(), room(peer));
  if (part == 0 || !peer.current->peer_takes(kTakesFragments)) return false;
  const std::size_t count = (body.size() + part - 1) / part;
  if (!peer.current->can_send(ctx_.now(), count)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const ByteView own = body.subspan(i * part, std::min(part, body.size() - i * part));
    const MutableBytes out = make_room(kFragmentHeader + own.size());
    if (out.empty()) break;
    const MutableBytes place = out.subspan(kTransportBody);
    write_fragment({type, static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(count)}, place);
    std::copy(own.begin(), own.end(), place.begin() + kFragmentHeader);
    send_room(peer, InnerType::Fragment, out);
  }
  ctx_.count(Counter::TxFragments, count);
  return true;
}

void SessionKeeper::send_empty_on(Peer& peer, Session& session, const Path& path) {
  const std::uint8_t takes =
      kTakesPacks | kTakesFragments | (ctx_.config.offloads.csum ? kTakesUnsummed : 0);
  const std::uint8_t body[] = {
      session.heard_takes() ? takes : static_cast<std::uint8_t>(takes | kTellYours)};
  send_on(peer, session, path, InnerType::Empty, body, Expects::Nothing);
}

void SessionKeeper::send_empty(Peer& peer) {
  if (can_send(peer)) send_empty_on(peer, *peer.current, *peer.path);
}

void SessionKeeper::ask_takes(Peer& peer) {
  if (!can_send(peer) || peer.current->heard_takes() || ctx_.now() < peer.current->ask_takes_at)
    return;
  peer.current->ask_takes_at = ctx_.now() + kAskTakes;
  send_empty(peer);
}

std::size_t SessionKeeper::flush(Peer& peer) {
  ctx_.count(Counter::DropQueueOld, peer.queue.expire(ctx_.now(), ctx_.queued));
  std::size_t sent = 0;
  for (; !peer.queue.empty() && can_send(peer); ++sent) {
    send(peer, peer.queue.front().type, peer.queue.front().body);
    peer.queue.pop(ctx_.queued);
  }
  return sent;
}

void SessionKeeper::adopt(Peer& peer, std::unique_ptr<Session> session, const Path& path) {
  drop_previous(peer);
  if (peer.current) {
    peer.previous = std::move(peer.current);
    peer.previous_until = ctx_.now() + kKeepPrevious;
  }
  peer.current = std::move(session);
  ctx_.peers.current_changed(peer);
  set_path(peer, path);
  if (path.is_direct()) peer.anew = 0;
  peer.start_at = kNever;
  peer.unanswered_at = kNever;
  peer.given_up = false;
  peer.wanted = false;
  ctx_.deadlines.lower(peer.slot,
                       std::min(peer.previous_until, peer.current->born() + kRejectAfter));
  drop_handshake(peer);
  drop_next(peer);
  ctx_.mark_dirty(peer);
  ctx_.count(Counter::HandshakesDone);
}

void SessionKeeper::drop_handshake(Peer& peer) {
  if (!peer.handshake) return;
  // The session that came of it goes by the same index.
  const std::uint32_t index = peer.handshake->initiator.index();
  if (peer.by_index(index) == nullptr) ctx_.indices.erase(index);
  peer.handshake.reset();
  ctx_.mark_dirty(peer);
}

void SessionKeeper::drop_next(Peer& peer) {
  if (peer.next) ctx_.indices.erase(peer.next->my_index());
  peer.next.reset();
  peer.next_until = kNever;
  ctx_.mark_dirty(peer);
}

void SessionKeeper::drop_previous(Peer& peer) {
  if (peer.previous) ctx_.indices.erase(peer.previous->my_index());
  peer.previous.reset();
  peer.previous_until = kNever;
}

void SessionKeeper::drop_current(Peer& peer) {
  if (!peer.current) return;
  ctx_.indices.erase(peer.current->my_index());
  peer.current.reset();
  ctx_.peers.current_changed(peer);
  peer.way.rest(peer.way.heard_at);
  peer.way.trials.clear();
  peer.keepalive_at = peer.unanswered_at = peer.confirm_at = kNever;
  ctx_.mark_dirty(peer);
}

void SessionKeeper::drop_all(Peer& peer) {
  drop_handshake(peer);
  drop_next(peer);
  drop_previous(peer);
  drop_current(peer);
  peer.start_at = kNever;
  ctx_.count(Counter::DropQueueOld, peer.queue.clear(ctx_.queued));
}

}  // namespace wattle::cryptod
