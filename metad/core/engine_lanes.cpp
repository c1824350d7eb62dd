// The lanes to cryptod and keyd.
#include <algorithm>

#include "metad/core/engine.h"

namespace wattle::metad {

namespace {

// Where the session was: behind a NAT that may be the only place, and no record tells it.
void put_first(const meta_link::PeerState& session, std::vector<Endpoint>& endpoints) {
  if (!session.has_endpoint) return;
  std::erase(endpoints, session.endpoint);
  endpoints.insert(endpoints.begin(), session.endpoint);
  if (endpoints.size() > kMaxEndpoints) endpoints.resize(kMaxEndpoints);
}

constexpr std::size_t kMaxCounters = 256;  // of cryptod

constexpr Duration kTableLimit = std::chrono::seconds(2);  // for HeldRoutesEnd

meta_link::RouteEntry print_entry(const TableEntry& entry) {
  meta_link::RouteEntry out;
  out.state = static_cast<meta_link::RouteState>(entry.state);
  out.fd_seqno = entry.feasibility.seqno;
  out.fd_metric = entry.feasibility.metric;
  out.seqno = entry.chosen.seqno;
  out.metric = entry.chosen.metric;
  out.next_hop = entry.next_hop.bytes;
  out.has_alternate = entry.alternate.has_value();
  if (entry.alternate) out.alternate = entry.alternate->bytes;
  return out;
}

}  // namespace

// First what needs no table; routes and the end follow in begin_table().
Actions Engine::on_cryptod_up(Now now) {
  cryptod_ = true;
  table_ = false;
  table_due_ = now.mono + kTableLimit;
  feed_.clear();
  stale_.clear();
  feed_.mark(LaneFeed::Kind::OwnCredential);
  if (document_) feed_.mark(LaneFeed::Kind::Document);
  for (const auto& [address, host] : nodes_.hosts())
    if (is_heard_of(address)) feed_.mark(LaneFeed::Kind::Endpoints, address);
  for (const NodeAddress& address : broker_.addresses())
    feed_.mark(LaneFeed::Kind::Member, address);
  for (const auto& [address, session] : sessions_)
    if (has_session(address) && broker_.find(address) == nullptr)
      want_key(address, 0, {}, now.mono, now);
  for (const NodeAddress& address : router_.neighbours())
    feed_.mark(LaneFeed::Kind::Neighbour, address);
  return take();
}

Actions Engine::on_cryptod_down(Now now) {
  cryptod_ = table_ = tapd_ = false;
  if (started_) table_due_ = kNever;
  feed_.clear();
  router_.cryptod(false, now.mono);
  unconfirm_health(now);
  for (auto& [id, control] : controls_)
    if (control.query && control.query->asks_cryptod()) finish_query(id, control, now);
  serve_waiting_lines(now);
  return take();
}

Actions Engine::on_cryptod(const meta_link::ToMetad::Message& message, Now now) {
  std::visit(ipc::Overload{
                 [](const std::monostate&) {},
                 [&](const meta_link::Ready& m) {
                   if (table_) return refuse_cryptod("ready_again", "Ready: twice");
                   on_ready(m, now);
                 },
                 [&](const meta_link::HeldRoute& m) { on_held_route(m, now); },
                 [&](const meta_link::HeldRoutesEnd&) {
                   if (table_) return refuse_cryptod("table_again", "HeldRoutesEnd: twice");
                   begin_table(true, now);
                 },
                 [&](const meta_link::RouteAck& m) { router_.acknowledged(m.ticket, now.mono); },
                 [&](const meta_link::LinkState& m) { on_link_state(m, now); },
                 [&](const meta_link::Carry& m) { on_carry(m, now); },
                 [&](const meta_link::Why& m) { on_why(m, now); },
                 [&](const meta_link::OwnRecord& m) { on_own_record(m, now); },
                 [&](const meta_link::LocalEndpoints& m) { own_.local(m); },
                 [&](const meta_link::WantOwner& m) { on_want_owner(m, now); },
                 [&](const meta_link::WantKey& m) { on_want_key(m, now); },
                 [&](const meta_link::PeerState& m) {
                   NodeAddress address;
                   address.bytes = m.address;
                   if (!may_keep_session(address)) return count("session_of_nobody");
                   sessions_[address] = m;
                   // A peer that came to us: a cryptod that is restarted will need its record at
                   // once.
                   if (m.state == meta_link::SessionState::Live &&
                       nodes_.find(address) != nullptr && broker_.find(address) == nullptr)
                     want_key(address, 0, {},
                              now.mono + std::chrono::milliseconds(random_->u32() % 2000), now);
                 },
                 [&](const meta_link::PeersEnd& m) {
                   tapd_ = m.device;
                   cryptod_counters_ = m.counters;
                   if (cryptod_counters_.size() > kMaxCounters)
                     cryptod_counters_.resize(kMaxCounters);
                   for (auto& [id, control] : controls_)
                     if (control.query && control.query->lists_peers() && control.query->id == m.id)
                       finish_query(id, control, now);
                 },
                 [&](const meta_link::ProbeAnswer& m) {
                   for (auto& [id, control] : controls_) {
                     if (!control.query || control.query->kind != Query::Kind::Probe ||
                         control.query->id != m.id)
                       continue;
                     tell_probe(id, control.query->address, m);
                     control.query.reset();
                   }
                 },
             },
             message);
  if (const auto sign = own_.due(now.mono)) out_.push_back(ToKeyd{*sign});
  serve_waiting_lines(now);
  dial(now);
  return take();
}

std::optional<LaneFeed::Message> Engine::next_for_cryptod() {
  if (!cryptod_) return std::nullopt;
  return feed_.next([this](const LaneFeed::Key& key) { return build(key); });
}

LaneFeed::Message Engine::build(const LaneFeed::Key& key) const {
  const auto endpoints = [&]() -> std::vector<Endpoint> {
    const Host* host = nodes_.find(key.address);
    return host == nullptr ? std::vector<Endpoint>{} : host->origin.record.endpoints;
  };
  // What either end wants kept from direct or UDP ways.
  const auto options = [&]() -> std::uint32_t {
    const Host* host = nodes_.find(key.address);
    return setup_.options | (host == nullptr ? 0 : host->origin.record.options);
  };
  switch (key.kind) {
    case LaneFeed::Kind::OwnCredential:
      return meta_link::OwnCredential{setup_.credential};
    case LaneFeed::Kind::Document:
      return meta_link::Document{setup_.document};
    case LaneFeed::Kind::Neighbour:
      return meta_link::Neighbour{key.address.bytes, router_.neighbours().contains(key.address)};
    case LaneFeed::Kind::Route: {
      const TableEntry entry = router_.entry(key.address);
      return meta_link::Route{key.address.bytes, entry.ticket, print_entry(entry)};
    }
    case LaneFeed::Kind::KeepIncarnation:
      return meta_link::KeepIncarnation{incarnation_};
    case LaneFeed::Kind::Endpoints:
      return meta_link::Endpoints{key.address.bytes, endpoints(), options()};
    case LaneFeed::Kind::Member: {
      const KeyBroker::Entry* entry = broker_.find(key.address);
      if (entry == nullptr) return std::monostate{};
      meta_link::Member member;
      member.address = key.address.bytes;
      member.record = to_array<200>(entry->answer);
      member.credential = to_array<216>(ByteView(entry->answer).subspan(200));
      member.endpoints = endpoints();
      member.options = options();
      member.had_session = has_session(key.address);
      if (member.had_session) put_first(sessions_.at(key.address), member.endpoints);
      return member;
    }
    case LaneFeed::Kind::Gone:
      return meta_link::Gone{key.address.bytes};
    case LaneFeed::Kind::Stale: {
      const auto at = stale_.find(key.address);
      if (at == stale_.end()) return std::monostate{};
      return meta_link::Stale{key.address.bytes, at->second};
    }
    case LaneFeed::Kind::NoKey:
      return meta_link::NoKey{key.address.bytes};
    case LaneFeed::Kind::SnapshotEnd:
      return meta_link::SnapshotEnd{};
  }
  return std::monostate{};
}

void Engine::refuse_cryptod(std::string_view counter, std::string rule) {
  count(counter);
  note(Note::Level::Warning, "refused what cryptod says", nullptr, std::move(rule));
}

// What a cryptod that lies has filled gives way to members that we have heard of.
bool Engine::may_keep_session(const NodeAddress& address) {
  if (sessions_.size() < NodeDb::kMaxHosts || sessions_.contains(address)) return true;
  if (nodes_.find(address) == nullptr) return false;
  std::erase_if(sessions_, [this](const auto& item) { return nodes_.find(item.first) == nullptr; });
  return sessions_.size() < NodeDb::kMaxHosts;
}

bool Engine::has_session(const NodeAddress& address) const {
  const auto at = sessions_.find(address);
  return at != sessions_.end() && at->second.state == meta_link::SessionState::Live;
}

// cryptod is believed only as far as the acceptance list goes: what we hand out must verify
// elsewhere.
void Engine::on_own_record(const meta_link::OwnRecord& message, Now now) {
  // Made for the certificate before a renewal: the one for this follows.
  const auto record = decode_packet_key(message.record);
  if (record && record->serial < setup_.serial) return count("own_record_outdated");
  if (record && record->epoch < own_epoch_)
    return refuse_cryptod("own_record_refused", "OwnRecord: pkr_epoch");
  Bytes answer = to_bytes(message.record);
  answer.insert(answer.end(), setup_.credential.begin(), setup_.credential.end());
  Accepted accepted;
  const Check check = accept_record(broker_.trust(), message.record, setup_.credential,
                                    setup_.address, now.unix, nullptr, accepted);
  if (check != Check::Accept)
    return refuse_cryptod("own_record_refused", "OwnRecord: " + std::string(check_name(check)));
  own_answer_ = std::move(answer);
  for (const OwnWaiter& waiter : own_waiters_)
    send_answer(waiter.link, setup_.name, waiter.requester, own_answer_);
  own_waiters_.clear();
  if (accepted.record.epoch == own_epoch_) return;
  own_epoch_ = accepted.record.epoch;
  for (const auto& [id, link] : links_)
    if (link.is_talking())
      send(id, Verb::KeyChanged, {Value(setup_.name)}, {{"epoch", std::to_string(own_epoch_)}});
}

void Engine::on_want_owner(const meta_link::WantOwner& message, Now now) {
  std::optional<NodeAddress> owner;
  if (message.kind == 4) owner = owners_.find(IpAddress::v4(to_array<4>(message.value)));
  if (message.kind == 6) owner = owners_.find(IpAddress::v6(message.value));
  if (message.kind == 2) owner = owners_.find(MacAddress{to_array<6>(message.value)});
  meta_link::Owner answer;
  answer.kind = message.kind;
  answer.value = message.value;
  answer.known = owner.has_value();
  if (owner) answer.address = owner->bytes;
  feed_.answer(answer);
  count(owner ? "owner_known" : "owner_unknown");
  if (owner) on_want_key({owner->bytes, 0}, now);
}

void Engine::on_want_key(const meta_link::WantKey& message, Now now) {
  NodeAddress owner;
  owner.bytes = message.address;
  if (broker_.answer(owner, message.epoch, now) != nullptr)
    return feed_.mark(LaneFeed::Kind::Member, owner);
  if (nodes_.find(owner) == nullptr) {
    count("key_of_unknown");
    return feed_.answer(meta_link::NoKey{owner.bytes});  // bounded; it may be anything
  }
  if (!want_key(owner, message.epoch, {}, now.mono, now)) feed_.mark(LaneFeed::Kind::NoKey, owner);
}

Actions Engine::on_keyd_down(Now) {
  keyd_ = false;
  own_.keyd_down();
  renewal_.keyd(false);
  return take();
}

Actions Engine::on_keyd(const key_link::ToMetad::Message& message, Now now) {
  std::visit(ipc::Overload{
                 [](const std::monostate&) {},
                 [&](const key_link::Enrolment& m) { on_enrolment(m, now); },
                 [&](const key_link::Identity& m) {
                   keyd_ = m.network == setup_.network && m.address == setup_.address.bytes;
                   renewal_.keyd(keyd_);
                   if (keyd_) return own_.keyd_up();
                   note(Note::Level::Warning,
                        "keyd holds the key of another node; nothing is announced. Is the state "
                        "folder of another join?");
                 },
                 [&](const key_link::Origin& m) { on_origin(m, now); },
                 [&](const key_link::DocumentVersion& m) { standing_.remembers(m.version); },
                 [&](const key_link::Refused& m) {
                   if (m.request == 0) return own_.refused(m.retry_ms, now.mono);
                   count("renewal_not_signed");
                   renewal_.refused(m.retry_ms, now);
                 },
             },
             message);
  if (const auto sign = own_.due(now.mono)) out_.push_back(ToKeyd{*sign});
  run_renewal(now);
  return take();
}

// Every link hears of it from the router: the record is a new way to us.
void Engine::on_origin(const key_link::Origin& message, Now now) {
  const auto before = own_.current();
  if (!own_.signed_one(message)) {
    count("own_origin_refused");
    return note(Note::Level::Warning, "refused what keyd says of this node", nullptr,
                "Origin: not asked, not of this node, or not signed by it");
  }
  const OriginRecord& record = own_.current()->record;
  router_.own_seqno(record.seqno, now.mono, !before || !says_the_same(before->record, record));
  out_.push_back(StoreFile{"origin", print_request(print_origin(*own_.current())) + "\n"});
  out_.push_back(PublishOrigin{message.body, to_array<64>(message.signature)});
}

}  // namespace wattle::metad
