#include "metad/core/node_db.h"

#include "common/base/mutant.h"

namespace wattle::metad {

NodeDb::NodeDb(const NetworkId& network, const NodeAddress& own)
    : network_(network), own_mac_(mac_of(network, own)), own_id_(own.short_id()) {}

NodeDb::Told NodeDb::tell(const SignedOrigin& origin, LinkId link, Instant now) {
  const OriginRecord& record = origin.record;
  auto at = hosts_.find(record.address);
  if (at != hosts_.end() &&
      WATTLE_CHECKED(host_seqno_old, record.seqno < at->second.origin.record.seqno))
    return Told::Older;
  const bool same = at != hosts_.end() && at->second.origin.record == record;
  if (at != hosts_.end() && !same &&
      WATTLE_CHECKED(host_equal_seqno, record.seqno == at->second.origin.record.seqno))
    return Told::Older;
  if (WATTLE_CHECKED(host_network, record.network != network_)) return Told::BadSignature;
  if (!same && !WATTLE_CHECKED(host_signature, verify_origin(record, origin.signature)))
    return Told::BadSignature;

  if (link != 0 && !has_room(at, link)) return Told::Full;
  Told result = same ? Told::Same : Told::Newer;
  if (at == hosts_.end()) {
    const MacAddress mac = mac_of(network_, record.address);
    const ShortId id = record.address.short_id();
    if (WATTLE_CHECKED(host_same_id, mac == own_mac_ || id == own_id_ || macs_.contains(mac) ||
                                         ids_.contains(id)))
      return Told::IdClash;
    if (WATTLE_CHECKED(host_most, hosts_.size() >= kMaxHosts) && !make_room()) return Told::Full;
    at = hosts_.emplace(record.address, Host{}).first;
    at->second.mac = mac;
    macs_.emplace(mac, record.address);
    ids_.emplace(id, record.address);
    result = Told::New;
  }
  Host& host = at->second;
  if (result == Told::Newer && host.origin.record.name != record.name) {
    drop_name(record.address, host.origin.record.name);
    host.name_proven = host.name_false = false;
  }
  if (result == Told::New ||
      (result == Told::Newer && !says_the_same(host.origin.record, record))) {
    host.news = record.seqno;
    host.news_came = false;
  }
  host.origin = origin;
  host.heard = now;
  if (link != 0 && host.told_by.insert(link).second) ++told_[link];
  claim_name(record.address, host);
  return result;
}

bool NodeDb::must_verify(const SignedOrigin& origin) const {
  const Host* host = find(origin.record.address);
  return host == nullptr || origin.record.seqno > host->origin.record.seqno;
}

bool NodeDb::tell_again(const NodeAddress& address, LinkId link, Instant now) {
  const auto at = hosts_.find(address);
  if (at == hosts_.end() || !has_room(at, link)) return false;
  at->second.heard = now;
  if (at->second.told_by.insert(link).second) ++told_[link];
  return true;
}

bool NodeDb::take_news(const NodeAddress& address, std::uint64_t seqno) {
  const auto at = hosts_.find(address);
  if (at == hosts_.end() || at->second.news_came || seqno < at->second.news) return false;
  at->second.news_came = true;
  return true;
}

bool NodeDb::has_room(std::map<NodeAddress, Host>::const_iterator at, LinkId link) const {
  if (at != hosts_.end() && at->second.told_by.contains(link)) return true;
  const auto told = told_.find(link);
  return told == told_.end() || WATTLE_CHECKED(host_most_of_link, told->second < kMaxToldByLink);
}

bool NodeDb::retract(const NodeAddress& address, LinkId link, Instant now) {
  const auto at = hosts_.find(address);
  if (at == hosts_.end() || at->second.told_by.erase(link) == 0) return false;
  --told_[link];
  at->second.heard = now;
  return true;
}

std::vector<NodeAddress> NodeDb::link_down(LinkId link, Instant now) {
  std::vector<NodeAddress> unheard;
  for (auto& [address, host] : hosts_) {
    if (host.told_by.erase(link) == 0) continue;
    host.heard = now;
    if (host.told_by.empty()) unheard.push_back(address);
  }
  told_.erase(link);
  return unheard;
}

std::vector<NodeAddress> NodeDb::expire(Instant now) {
  std::vector<NodeAddress> gone;
  for (auto at = hosts_.begin(); at != hosts_.end();) {
    const auto next = std::next(at);
    if (at->second.told_by.empty() && now - at->second.heard >= kForget) {
      gone.push_back(at->first);
      erase(at);
    }
    at = next;
  }
  return gone;
}

const Host* NodeDb::find(const NodeAddress& address) const {
  const auto at = hosts_.find(address);
  return at == hosts_.end() ? nullptr : &at->second;
}

const Host* NodeDb::find(std::string_view name_or_address) const {
  const auto named = names_.find(name_or_address);
  if (named != names_.end()) return find(named->second);
  NodeAddress address;
  if (parse_address(name_or_address, address) != AddressFault::None) return nullptr;
  return find(address);
}

bool NodeDb::prove_name(const NodeAddress& address, std::string_view name) {
  const auto at = hosts_.find(address);
  if (at == hosts_.end()) return true;
  if (at->second.origin.record.name != name) {
    disprove_name(address);
    return false;
  }
  at->second.name_proven = true;
  at->second.name_false = false;
  claim_name(address, at->second);
  return true;
}

void NodeDb::disprove_name(const NodeAddress& address) {
  const auto at = hosts_.find(address);
  if (at == hosts_.end()) return;
  at->second.name_proven = false;
  at->second.name_false = true;
  drop_name(address, at->second.origin.record.name);
}

std::string NodeDb::label(const NodeAddress& address) const {
  const Host* host = find(address);
  if (host == nullptr) return address.text();
  const auto named = names_.find(host->origin.record.name);
  return named != names_.end() && named->second == address ? named->first : address.text();
}

// The longest unheard host leaves; false if all are heard of.
bool NodeDb::make_room() {
  auto oldest = hosts_.end();
  for (auto at = hosts_.begin(); at != hosts_.end(); ++at)
    if (at->second.told_by.empty() &&
        (oldest == hosts_.end() || at->second.heard < oldest->second.heard))
      oldest = at;
  if (oldest == hosts_.end()) return false;
  erase(oldest);
  return true;
}

void NodeDb::claim_name(const NodeAddress& address, const Host& host) {
  if (host.name_false) return;
  const auto [at, free] = names_.emplace(host.origin.record.name, address);
  if (free || at->second == address || !WATTLE_CHECKED(name_proven, host.name_proven)) return;
  const Host* holder = find(at->second);
  if (holder == nullptr || !holder->name_proven) at->second = address;
}

void NodeDb::drop_name(const NodeAddress& address, const std::string& name) {
  const auto at = names_.find(name);
  if (at != names_.end() && at->second == address) names_.erase(at);
}

void NodeDb::erase(std::map<NodeAddress, Host>::iterator at) {
  for (const LinkId link : at->second.told_by) --told_[link];
  drop_name(at->first, at->second.origin.record.name);
  macs_.erase(at->second.mac);
  ids_.erase(at->first.short_id());
  hosts_.erase(at);
}

}  // namespace wattle::metad
