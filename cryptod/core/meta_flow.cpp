#include "cryptod/core/meta_flow.h"

#include <algorithm>
#include <utility>

#include "common/base/mutant.h"
#include "common/proto/origin_record.h"
#include "cryptod/core/path_words.h"

namespace wattle::cryptod {

namespace {

constexpr std::string_view kLane = "meta";
constexpr std::size_t kCountersAsStates = 64, kHistoryAsStates = 32;

}  // namespace

MetaFlow::MetaFlow(EngineContext& context, SessionKeeper& sessions, MemberBook& members,
                   HandshakeFlow& handshakes, NeighbourDesk& neighbours, ProbeDesk& probes,
                   OwnKeyFlow& own_keys, RouteFlow& routes, PathDesk& paths, OwnEndpoints& own,
                   NeighbourWatch& watch)
    : ctx_(context),
      sessions_(sessions),
      members_(members),
      handshakes_(handshakes),
      neighbours_(neighbours),
      probes_(probes),
      own_keys_(own_keys),
      routes_(routes),
      paths_(paths),
      own_(own),
      watch_(watch) {}

// ---- the lane --------------------------------------------------------------------------------

void MetaFlow::connected() {
  ctx_.meta_up = snapshot_ = true;
  routes_.connected();
  watch_.connected();
  if (const LocalKey* const key = ctx_.self.keys.current())
    ctx_.tell_metad(meta_link::OwnRecord{key->record});
  local_endpoints();
  for (const auto& peer : ctx_.peers.walk()) {
    peer->want_at = kNever;
    peer->want_pause = {};
    peer->hint_held = peer->hinted;
    if (peer->state() != meta_link::SessionState::None) tell(*peer, 0);
  }
  neighbours_.ask_all();
}

void MetaFlow::lost() {
  ctx_.meta_up = false;
  listings_.clear();
  probes_.forget();
}

void MetaFlow::message(const meta_link::ToCryptod::Message& message) {
  std::visit([this](const auto& m) { on(m); }, message);
}

void MetaFlow::local_endpoints() { own_.tell(); }

void MetaFlow::wake() {
  for (const auto& peer : ctx_.peers.walk())
    if ((peer->wanted || !peer->queue.empty()) && !sessions_.can_send(*peer))
      handshakes_.want(*peer);
}

// ---- about ourselves -------------------------------------------------------------------------

void MetaFlow::on(const meta_link::OwnCredential& m) { own_keys_.credential(m.credential); }

void MetaFlow::judge_document(const std::string& text) {
  const auto refuse = [this](Counter counter, std::string_view rule) {
    ctx_.refuse(counter, kLane, meta_link::Document::kName, rule);
  };
  const auto document = ctx_.chain.open(text);
  if (!document && document.error().code == Errc::Exists)
    return refuse(Counter::DocumentsForked, "document_forked");
  if (!document) return refuse(Counter::DocumentsRefused, "document_signature");
  if (WATTLE_CHECKED(document_older, document->version < std::max(ctx_.self.document_version,
                                                                  ctx_.self.least_document)))
    return refuse(Counter::DocumentsRefused, "document_old");
  if (document->version == ctx_.self.document_version) return;
  ctx_.self.document_version = document->version;
  ctx_.chain.hold(*document);
  ctx_.self.trust.credential_keys = ctx_.chain.credential_keys();
  own_keys_.document_verified();
  ctx_.self.broadcast = document->broadcast;
  ctx_.self.trust.revoked.clear();
  for (const Revocation& r : document->revoked) ctx_.self.trust.revoked.insert(r.serial);
  members_.sweep();
  own_keys_.try_offered();  // what was offered before may be of a key that is new here
  if (!WATTLE_CHECKED(self_revoked, ctx_.self.barred())) return wake();
  for (const auto& peer : ctx_.peers.walk()) sessions_.drop_all(*peer);  // we are out ourselves
}

// ---- about members ---------------------------------------------------------------------------

Peer* MetaFlow::hint(const meta_link::Address& address, std::span<const Endpoint> endpoints,
                     std::uint32_t options) {
  NodeAddress who;
  if (parse_address(address, who) != AddressFault::None || who == ctx_.self.address) {
    ctx_.refuse(Counter::HintsRefused, kLane, meta_link::Endpoints::kName, "address");
    return nullptr;
  }
  PeerTable::Fault fault{};
  Peer* const peer = ctx_.peers.add(who, fault);
  if (peer == nullptr) {
    const bool full = fault == PeerTable::Fault::Full;
    ctx_.refuse(full ? Counter::MembersFull : Counter::MemberClash, kLane,
                meta_link::Endpoints::kName, full ? "full" : "short_id", who);
    return nullptr;
  }
  peer->hinted = true;
  peer->hint_held = false;
  endpoints = endpoints.first(std::min(endpoints.size(), kMaxEndpoints));
  const bool others = !std::ranges::equal(peer->candidates, endpoints);
  if (!others && peer->options == options) return peer;
  peer->candidates.assign(endpoints.begin(), endpoints.end());
  peer->options = options;
  paths_.hints_changed(*peer, others);
  return peer;
}

void MetaFlow::on(const meta_link::Endpoints& m) {
  Peer* const peer = hint(m.address, m.endpoints, m.options);
  if (peer == nullptr) return;
  peer->given_up = false;
  const bool waits = peer->wanted || !peer->queue.empty();
  if (waits && !sessions_.can_send(*peer)) handshakes_.want(*peer);
}

void MetaFlow::on(const meta_link::Member& m) {
  Peer* const peer = hint(m.address, m.endpoints, m.options);
  if (peer == nullptr) return;
  peer->given_up = false;
  if (m.had_session && !peer->current) {
    peer->wanted = true;
    if (peer->return_until == Instant{})
      peer->return_until = ctx_.now() + HandshakeFlow::kReturnPatience;
  }
  const bool known = peer->member && equal(m.record, peer->member->record) &&
                     equal(m.credential, peer->member->credential_bytes);
  if (known) {
    if ((peer->wanted || !peer->queue.empty()) && !sessions_.can_send(*peer)) {
      peer->start_at = kNever;  // it need not wait for a way any more
      handshakes_.want(*peer);
    }
    return;
  }
  if (!peer->unverified) backlog_.push_back(peer->slot);
  peer->unverified = std::make_unique<meta_link::Member>(m);
}

void MetaFlow::verify(Peer& peer) {
  const auto offer = std::move(peer.unverified);
  if (!offer) return;  // cut off meanwhile
  const std::uint64_t before = peer.seen ? peer.seen->epoch : 0;
  const Check check = members_.verify(peer, offer->record, offer->credential);
  if (check != Check::Accept)
    return ctx_.say_refused(kLane, meta_link::Member::kName, check_name(check), peer.address);
  const bool newer = peer.seen->epoch > before;
  if (peer.handshake && newer && peer.handshake->initiator.epoch() < peer.seen->epoch)
    return handshakes_.begin_anew(peer);
  // A newer key that did not come through the live session: its owner may have been restarted.
  const bool anew = newer && peer.current;
  const bool waits = (peer.wanted || !peer.queue.empty()) && !sessions_.can_send(peer);
  if (anew || waits) handshakes_.want(peer);
}

void MetaFlow::on(const meta_link::Gone& m) {
  Peer* const peer = ctx_.peers.find(NodeAddress{m.address});
  if (peer == nullptr) return;
  peer->hinted = false;
  peer->candidates.clear();
  ctx_.peers.taken_away();
}

void MetaFlow::on(const meta_link::Stale& m) {
  Peer* const peer = ctx_.peers.find(NodeAddress{m.address});
  if (peer == nullptr || !peer->seen ||
      WATTLE_CHECKED(metad_stale_epoch, m.epoch <= peer->seen->epoch))
    return;
  // The number is a hint of whoever sent it: ask for the next one after what we verified, now if
  // we speak with it, else when a session is wanted.
  peer->stale = true;
  if (peer->current || peer->handshake || !peer->queue.empty())
    members_.ask(*peer, peer->seen->epoch + 1);
}

// Of a known owner the record follows, and that is the answer.
void MetaFlow::on(const meta_link::Owner& m) {
  if (!m.known) neighbours_.unknown(m.kind, m.value);
}

void MetaFlow::on(const meta_link::Route& m) {
  routes_.route(m);
  Peer* const peer = ctx_.peers.find(NodeAddress{m.destination});
  if (peer == nullptr || m.entry.state != meta_link::RouteState::Reachable) return;
  if ((peer->wanted || !peer->queue.empty()) && !sessions_.can_send(*peer)) handshakes_.want(*peer);
}

void MetaFlow::on(const meta_link::SnapshotEnd&) {
  routes_.snapshot_end();
  if (!std::exchange(snapshot_, false)) return;  // said before: nothing is held any more
  watch_.snapshot_end();
  // Of members that were verified the hint stays: they may be reached without metad.
  for (const auto& peer : ctx_.peers.walk())
    if (std::exchange(peer->hint_held, false) && !peer->member && !peer->seen) {
      peer->hinted = peer->wanted = false;
      peer->candidates.clear();
    }
  members_.reclaim();
}

// ---- questions -------------------------------------------------------------------------------

// Each answer may be long: what would cost frames their turn is not told.
bool MetaFlow::may_tell(std::string_view message, std::size_t states) {
  if (told_.take(ctx_.now(), states)) return true;
  ctx_.refuse(Counter::QuestionsRefused, kLane, message, "rate");
  return false;
}

void MetaFlow::on(const meta_link::ListPeers& m) {
  if (WATTLE_CHECKED(listings_most, listings_.size() >= kListings))
    return ctx_.refuse(Counter::QuestionsRefused, kLane, meta_link::ListPeers::kName, "rate");
  if (may_tell(meta_link::ListPeers::kName, ctx_.peers.used() + kCountersAsStates))
    listings_.push_back({m.id, 0});
}

// A part of the list, so that frames have their turn before the next one.
void MetaFlow::list() {
  std::size_t left = kListed;
  while (!listings_.empty()) {
    Listing& listing = listings_.front();
    for (; left > 0 && listing.next < ctx_.peers.size(); --left) {
      Peer& peer = ctx_.peers.at(listing.next++);
      if (peer.hinted || peer.member) tell(peer, listing.id);
    }
    if (listing.next < ctx_.peers.size()) break;
    meta_link::PeersEnd end{listing.id, ctx_.device.present, ctx_.self.key() != nullptr, {}};
    for (auto& [name, value] : ctx_.counters.list())
      end.counters.push_back({std::move(name), value});
    ctx_.tell_metad(std::move(end));
    listings_.pop_front();
  }
  list_at_ = ctx_.now() + kListPause;
}

void MetaFlow::on(const meta_link::AskWhy& m) {
  if (!may_tell(meta_link::AskWhy::kName, kHistoryAsStates)) return;
  meta_link::Why out{m.id, {}};
  const std::uint64_t at = ctx_.moment.unix_now.seconds * 1000;
  if (const Peer* const peer = ctx_.peers.find(NodeAddress{m.address})) {
    out.decisions = peer->way.history.list(ctx_.now(), ctx_.moment.unix_now);
    out.decisions.push_back({at, state_text(ctx_, *peer)});
  } else {
    out.decisions.push_back({at, "now: nothing is known here of this member"});
  }
  ctx_.tell_metad(std::move(out));
}

void MetaFlow::on(const meta_link::Probe& m) { probes_.ping(m); }

void MetaFlow::tell(Peer& peer, std::uint32_t id) {
  meta_link::PeerState out;
  out.id = id;
  out.address = peer.address.bytes;
  out.state = peer.state();
  if (peer.current && peer.path) {
    out.way = way_of(*peer.path);
    out.has_endpoint = peer.path->is_direct();
    out.endpoint = peer.path->remote;
    if (out.way == meta_link::PeerWay::Routed)
      if (const Peer* const hop = ctx_.first_hop(peer)) out.first_hop = hop->address.bytes;
  }
  out.since = peer.since;
  out.rtt_us = peer.rtt_us;
  out.rx_bytes = peer.rx_bytes;
  out.tx_bytes = peer.tx_bytes;
  out.rx_frames = peer.rx_frames;
  out.tx_frames = peer.tx_frames;
  ctx_.tell_metad(out);
}

// ---- work ------------------------------------------------------------------------------------

void MetaFlow::work() {
  if (offered_ && documents_.take(ctx_.now()))
    judge_document(std::exchange(offered_, std::nullopt)->text);
  while (!backlog_.empty() && WATTLE_CHECKED(metad_verify_rate, verifications_.take(ctx_.now()))) {
    Peer& peer = ctx_.peers.at(backlog_.front());
    backlog_.pop_front();
    verify(peer);
  }
  if (!listings_.empty() && (listings_.front().next == 0 || list_at_ <= ctx_.now())) list();
  for (const std::uint32_t slot : ctx_.dirty) {
    Peer& peer = ctx_.peers.at(slot);
    peer.dirty = false;
    if (peer.state() != peer.reported) {
      peer.reported = peer.state();
      peer.since = ctx_.moment.unix_now.seconds;
    }
    tell(peer, 0);
  }
  ctx_.dirty.clear();
}

Instant MetaFlow::next() {
  return std::min({backlog_.empty() ? kNever : verifications_.ready_at(ctx_.now()),
                   offered_ ? documents_.ready_at(ctx_.now()) : kNever,
                   listings_.empty() ? kNever : list_at_});
}

}  // namespace wattle::cryptod
