#include "cryptod/core/session_flow.h"

#include "common/base/mutant.h"

namespace wattle::cryptod {

namespace {

// What its sender may wait for to be answered, and what nothing else answers by itself.
bool wants_keepalive(std::uint8_t type) {
  const auto inner = static_cast<InnerType>(type);
  return inner != InnerType::Empty && inner != InnerType::Probe && inner != InnerType::Endpoints &&
         inner != InnerType::Refusal;
}

}  // namespace

void SessionFlow::transport(const Received& d) {
  if (d.bytes.size() < kTransportOverhead) return ctx_.count(Counter::DropLength);
  const auto place = ctx_.indices.find(read_u32(d.bytes, kHeaderSize));
  if (place == ctx_.indices.end()) return ctx_.count(Counter::DropReceiverIndex);
  Peer& peer = ctx_.peers.at(place->second);
  Session* const session = peer.by_index(place->first);
  if (session == nullptr || WATTLE_CHECKED(session_age, session->too_old(ctx_.now())))
    return ctx_.count(Counter::DropReceiverIndex);
  Session::Opened opened;
  const WireCheck check = session->open(d.bytes, opened);
  if (check != WireCheck::Accept) {
    ctx_.count(counter_of(check));
    if (session->worn_out()) {
      ctx_.count(Counter::SessionsWornOut);
      sessions_.drop_all(peer);
    }
    return;
  }

  const Path from = path_of(d);
  ctx_.came(peer, d.via);
  if (session == peer.next.get()) confirm(peer, from);
  peer.rx_bytes += d.bytes.size();
  if (from.kind != PathKind::Routed) peer.heard_at = ctx_.now();
  peer.unanswered_at = kNever;
  if (session == peer.current.get()) peer.confirm_at = kNever;
  if (wants_keepalive(opened.type) && peer.keepalive_at == kNever) {
    peer.keepalive_at = ctx_.now() + SessionKeeper::kKeepalive;
    ctx_.deadlines.lower(peer.slot, peer.keepalive_at);
  }
  inner(peer, *session, from, opened);
  // Only the newest packet of the newest session tells of a new path.
  paths_.heard(peer, from,
               WATTLE_CHECKED(path_newest, opened.newest) && session == peer.current.get());
}

// The initiator's first valid frame on a session that we answered: now it may be used.
void SessionFlow::confirm(Peer& peer, const Path& from) {
  const Path path = paths_.after_handshake(peer, from);
  sessions_.adopt(peer, std::move(peer.next), path);
  paths_.adopted(peer);
  peer.confirm_left = 0;
  peer.confirm_at = kNever;
  if (sessions_.flush(peer) == 0) sessions_.send_empty(peer);
}

// A side that does not say what it takes, or more than we know, is heard all the same.
void SessionFlow::empty(Peer& peer, Session& session, const Path& from, ByteView body) {
  if (WATTLE_CHECKED(inner_empty, body.size() > 1)) return ctx_.count(Counter::DropInnerLength);
  if (body.empty()) return;
  session.hear_takes(body[0]);
  if ((body[0] & kTellYours) == 0) return;
  sessions_.send_empty_on(peer, session, from);
}

void SessionFlow::inner(Peer& peer, Session& session, const Path& from,
                        const Session::Opened& opened) {
  switch (static_cast<InnerType>(opened.type)) {
    case InnerType::Empty:
      return empty(peer, session, from, opened.body);
    case InnerType::Frame:
    case InnerType::FullFrame:
    case InnerType::Unsummed:
    case InnerType::Pack:
      paths_.traffic(peer);
      return frames_.incoming(peer, static_cast<InnerType>(opened.type), opened.body);
    case InnerType::Fragment:
      paths_.traffic(peer);
      return frames_.fragment(peer, session.my_index(), opened.counter, opened.body);
    case InnerType::Probe:
      if (!probes_.probe(peer, session, from, opened.body)) ctx_.count(Counter::DropInnerLength);
      return;
    case InnerType::Records:
      return records(peer, opened.body);
    case InnerType::Refusal:
      if (!relay_.refusal(peer, opened.body)) ctx_.count(Counter::DropInnerLength);
      return;
    case InnerType::Endpoints:
      if (!punches_.endpoints(peer, opened.body)) ctx_.count(Counter::DropInnerLength);
      return;
  }
  ctx_.count(Counter::DropInnerType);
}

// A record pushed at rotation, alone or with a new credential.
void SessionFlow::records(Peer& peer, ByteView body) {
  const bool both = body.size() == kPacketKeySize + kCredentialSize;
  if (!both && body.size() != kPacketKeySize) return ctx_.count(Counter::DropInnerLength);
  const bool known = peer.member && equal(body.first(kPacketKeySize), peer.member->record) &&
                     (!both || equal(body.subspan(kPacketKeySize), peer.member->credential_bytes));
  if (known) return;  // pushed once more
  if (!peer.member || !WATTLE_CHECKED(records_rate, peer.records.take(ctx_.now())))
    return ctx_.count(Counter::DropRecordBudget);
  const CredentialBytes credential = both ? to_array<kCredentialSize>(body.subspan(kPacketKeySize))
                                          : peer.member->credential_bytes;
  members_.verify(peer, body.first(kPacketKeySize), credential);
}

void SessionFlow::due(Peer& peer) {
  const Instant now = ctx_.now();
  if (peer.previous_until <= now || (peer.previous && peer.previous->too_old(now)))
    sessions_.drop_previous(peer);
  if (peer.next_until <= now) sessions_.drop_next(peer);
  if (peer.current && peer.current->too_old(now)) {
    ctx_.count(Counter::SessionsExpired);
    sessions_.drop_current(peer);
  }
  if (peer.confirm_at <= now) {
    peer.confirm_at = kNever;
    if (peer.confirm_left > 0) {
      sessions_.send_empty(peer);
      --peer.confirm_left;
      peer.confirm_at = now + 2 * HandshakeFlow::kConfirmAgain;
    }
  }
  if (peer.keepalive_at <= now) {
    peer.keepalive_at = kNever;
    sessions_.send_empty(peer);
    if (peer.current && peer.current->initiator() && peer.current->wants_rekey(now))
      handshakes_.want(peer);
  }
  if (peer.unanswered_at <= now) {
    handshakes_.want(peer);  // while unanswered_at says that the path may be dead
    peer.unanswered_at = kNever;
  }
  paths_.due(peer);
  // A mapping that is kept is of use only with a session.
  if (peer.way.nat_at != kNever && peer.current) {
    const Duration grace = peer.current->initiator() ? Duration{} : NeighbourWatch::kResponderGrace;
    if (peer.current->wants_rekey(now - grace)) handshakes_.want(peer);
  }
  punches_.due(peer);
  ctx_.count(Counter::DropQueueOld, peer.queue.expire(now, ctx_.queued));
  if (!peer.queue.empty() && !sessions_.can_send(peer)) handshakes_.want(peer);
}

}  // namespace wattle::cryptod
