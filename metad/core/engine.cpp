#include "metad/core/engine.h"

#include <algorithm>

namespace wattle::metad {
namespace {

constexpr Duration kHousekeeping = std::chrono::minutes(1);
constexpr Duration kPeersDelay = std::chrono::seconds(5);  // the peers file: not at every word
constexpr Duration kTableLimit = std::chrono::seconds(2);  // for cryptod and its HeldRoutesEnd
constexpr std::size_t kMaxPeersFile = 200;                 // protocols.md 6 row 25
constexpr Duration kForgetMisfit = std::chrono::minutes(10);

Trust trust_of(const Setup& setup) {
  Trust trust;
  trust.network = setup.network;
  trust.credential_keys = {setup.credential_key};
  return trust;
}

TrustChain::Start chain_of(const Setup& setup) {
  return {setup.network, setup.document_key, setup.credential_key, setup.ca_der};
}

}  // namespace

Engine::Engine(Setup setup, Random& random, Now now)
    : setup_(std::move(setup)),
      random_(&random),
      chain_(chain_of(setup_)),
      nodes_(setup_.network, setup_.address),
      router_({setup_.address, setup_.transit}),
      dial_(setup_.address, random),
      broker_(trust_of(setup_)),
      own_(setup_, now.mono),
      renewal_(setup_.address, setup_.tls_key, random),
      standing_(setup_.network_name),
      table_due_(now.mono + kTableLimit),
      house_(now.mono + kHousekeeping) {
  if (auto credential = decode_credential(setup_.credential)) credential_ = *credential;
  if (!setup_.document.empty() && !use_stored_document(now))
    note(Note::Level::Warning, "the stored network document does not verify; it is ignored");
  renewal_.renewed(setup_.not_before, setup_.expires);
  look_for_reissue();
  look_at_validity(now);
  if (own_.current()) router_.own_seqno(own_.current()->record.seqno, now.mono);
  for (const Endpoint& endpoint : setup_.connect) dial_.add_fixed(endpoint, now.mono);
  for (const PeerHint& peer : setup_.peers)
    dial_.know(peer.address, peer.endpoints, true, now.mono);
}

Actions Engine::on_dial_failed(DialId id, Now now) {
  const auto failed = dial_.ended(id, now.mono);
  const Host* host = failed ? nodes_.find(*failed) : nullptr;
  // Its cached places are of no use: perhaps a neighbour knows of others.
  if (host != nullptr && router_.entry(*failed).state != TableEntry::State::Reachable)
    want_host(*failed, host->origin.record.seqno + 1, 0, now);
  redial_failed(id, now);
  dial(now);
  return take();
}

Actions Engine::on_peer_hints(const std::vector<PeerHint>& peers, Now now) {
  for (const PeerHint& peer : peers)
    if (peer.address != setup_.address && !is_linked(peer.address))
      dial_.know(peer.address, peer.endpoints, true, now.mono);
  dial(now);
  return take();
}

Actions Engine::on_tick(Now now) {
  start_deadlines(now);
  router_.tick(now.mono);
  std::vector<std::pair<LinkId, Link::Due>> due;
  std::vector<LinkId> expired;
  for (auto& [id, link] : links_) {
    if (link.up().expires <= now.unix) expired.push_back(id);
    const Link::Due what = link.tick(now.mono);
    if (what != Link::Due::Nothing) due.emplace_back(id, what);
  }
  for (const LinkId id : expired) close(id, "certificate expired", now, 403);
  for (const auto& [id, what] : due) {
    if (!links_.contains(id)) continue;
    if (what == Link::Due::Ping) {
      send(id, Verb::Ping);
    } else {
      count(what == Link::Due::Dead ? "link_dead" : "link_too_slow");
      close(id, what == Link::Due::Dead ? "no answer to PING" : "too slow", now);
    }
  }
  for (const KeyBroker::Late& late : broker_.late_changes(now.mono))
    key_changed(late.link, late.address, late.epoch, now);
  for (const NodeAddress& owner : wants_.over(now.mono)) give_up(owner);
  for (const NodeAddress& owner : wants_.due(now.mono)) fetch(owner, now);
  if (const auto request = own_.due(now.mono)) out_.push_back(ToKeyd{*request});
  run_gossip(now);
  run_renewal(now);
  run_redials(now);
  control_deadlines(now);
  serve_waiting_lines(now);
  if (now.mono >= house_) {
    house_ = now.mono + kHousekeeping;
    look_at_validity(now);
    std::erase_if(misfits_,
                  [&](const auto& item) { return now.mono - item.second.at > kForgetMisfit; });
    for (const NodeAddress& gone : nodes_.expire(now.mono)) {
      owners_.forget(gone);
      stale_.erase(gone);
      dial_.forget(gone);
      feed_.unmark(LaneFeed::Kind::Endpoints, gone);
      broker_.forget_forwarded(gone);
      for (auto& [id, link] : links_) link.subnets_told.erase(gone);
    }
    std::erase_if(sessions_, [&](const auto& item) {
      return item.second.state == meta_link::SessionState::None &&
             nodes_.find(item.first) == nullptr;
    });
  }
  if (now.mono >= peers_due_) write_peers(now);
  dial(now);
  return take();
}

Instant Engine::next_deadline() const {
  Instant out = std::min({house_, peers_due_, wants_.next_deadline(), own_.next_deadline(),
                          broker_.next_deadline(), gossip_.next_deadline(), router_.next_deadline(),
                          renewal_deadline(), table_due_, health_due_});
  if (started_ && links_.size() < kMaxLinks) out = std::min(out, dial_.next_deadline());
  for (const auto& [id, link] : links_) out = std::min(out, link.next_deadline());
  for (const auto& [id, control] : controls_)
    if (control.query) out = std::min(out, control.query->deadline);
  return out;
}

std::uint64_t Engine::counter(std::string_view name) const {
  const auto at = counters_.find(name);
  return at == counters_.end() ? 0 : at->second;
}

void Engine::note(Note::Level level, std::string sentence, const NodeAddress* peer,
                  std::string err) {
  std::string label;
  if (peer != nullptr) label = nodes_.label(*peer);
  out_.push_back(Note{level, std::move(sentence), std::move(label), std::move(err)});
}

void Engine::dial(Now now) {
  for (const DialId id : dial_.superfluous()) {
    dial_.ended(id, now.mono);
    out_.push_back(CancelDial{id});
  }
  if (!started_ || links_.size() >= kMaxLinks) return;
  for (const DialPolicy::Order& order : dial_.due(now.mono))
    out_.push_back(Dial{order.id, order.endpoint});
}

// `NAME ADDRESS ENDPOINT...`: whom to dial after a restart; neighbours first.
void Engine::peers_changed(Now now) { peers_due_ = std::min(peers_due_, now.mono + kPeersDelay); }

void Engine::write_peers(Now) {
  peers_due_ = kNever;
  std::vector<const Host*> hosts;
  for (const bool linked : {true, false})
    for (const auto& [address, host] : nodes_.hosts())
      if (is_linked(address) == linked && !host.origin.record.endpoints.empty() &&
          hosts.size() < kMaxPeersFile)
        hosts.push_back(&host);
  std::string text;
  for (const Host* host : hosts) {
    text += host->origin.record.name + " " + host->origin.record.address.text();
    for (const Endpoint& endpoint : host->origin.record.endpoints) text += " " + endpoint.text();
    text += "\n";
  }
  if (text.empty() || text == peers_text_) return;
  peers_text_ = text;
  out_.push_back(StoreFile{"peers", std::move(text)});
}

bool Engine::is_linked(const NodeAddress& address) const {
  return std::any_of(links_.begin(), links_.end(),
                     [&](const auto& item) { return item.second.address() == address; });
}

bool Engine::is_own(std::string_view name_or_address) const {
  return name_or_address == setup_.name || name_or_address == setup_.address.text();
}

}  // namespace wattle::metad
