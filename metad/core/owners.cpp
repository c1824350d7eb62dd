#include "metad/core/owners.h"

#include <algorithm>

#include "common/base/mutant.h"

namespace wattle::metad {
namespace {

bool covers(const Subnet& granted, const Subnet& claimed) {
  if (granted.kind != claimed.kind) return false;
  if (granted.kind == Subnet::Kind::Mac) return granted.mac == claimed.mac;
  return granted.prefix.length <= claimed.prefix.length &&
         granted.prefix.contains(claimed.prefix.address);
}

// The MAC inside fe80::/64 in modified EUI-64 form.
std::optional<MacAddress> eui64_mac(const IpAddress& address) {
  const ByteArray<16>& b = address.bytes;
  const MacAddress mac{{static_cast<std::uint8_t>(b[8] ^ 2), b[9], b[10], b[13], b[14], b[15]}};
  if (address.is_v4() || IpAddress::link_local(mac) != address) return std::nullopt;
  return mac;
}

}  // namespace

std::vector<Subnet> granted_subnets(const Credential& credential) {
  return {Subnet::of(credential.mac), Subnet::of(credential.ipv4), Subnet::of(credential.ipv6)};
}

Owners::Hinted Owners::hint(const NodeAddress& owner, const Subnet& subnet) {
  const auto at = owners_.find(owner);
  if (at != owners_.end()) {
    const Entry& entry = at->second;
    if (entry.subnets.contains(subnet)) return Hinted::Known;
    if (!entry.proven.empty() &&
        WATTLE_CHECKED(subnet_proven, std::none_of(entry.proven.begin(), entry.proven.end(),
                                                   [&](const Subnet& granted) {
                                                     return covers(granted, subnet);
                                                   })))
      return Hinted::Refused;
    if (WATTLE_CHECKED(subnet_most_of_one, entry.subnets.size() >= kMaxPerOwner))
      return Hinted::Full;
  }
  if (holders_.size() >= kMaxSubnets && !holders_.contains(subnet)) return Hinted::Full;
  owners_[owner].subnets.insert(subnet);
  index(owner, subnet);
  return Hinted::New;
}

bool Owners::retract(const NodeAddress& owner, const Subnet& subnet) {
  const auto at = owners_.find(owner);
  if (at == owners_.end() || at->second.proven.contains(subnet)) return false;
  if (at->second.subnets.erase(subnet) == 0) return false;
  unindex(owner, subnet);
  return true;
}

void Owners::prove(const NodeAddress& owner, const Credential& credential) {
  const std::vector<Subnet> granted = granted_subnets(credential);
  Entry& entry = owners_[owner];
  entry.proven = {granted.begin(), granted.end()};
  for (auto at = entry.subnets.begin(); at != entry.subnets.end();) {
    const bool kept = std::any_of(granted.begin(), granted.end(),
                                  [&](const Subnet& g) { return covers(g, *at); });
    if (WATTLE_CHECKED(subnet_granted, kept)) {
      ++at;
      continue;
    }
    unindex(owner, *at);
    at = entry.subnets.erase(at);
  }
  for (const Subnet& subnet : granted)
    if (entry.subnets.insert(subnet).second) index(owner, subnet);
}

void Owners::forget(const NodeAddress& owner) {
  const auto at = owners_.find(owner);
  if (at == owners_.end()) return;
  for (const Subnet& subnet : at->second.subnets) unindex(owner, subnet);
  owners_.erase(at);
}

std::optional<NodeAddress> Owners::find(const IpAddress& address) const {
  if (const auto mac = eui64_mac(address)) return find(*mac);
  // Longest first: the map's keys are (family, length) in rising order.
  for (auto at = lengths_.rbegin(); at != lengths_.rend(); ++at) {
    if (at->first.first != address.family) continue;
    const Subnet subnet = Subnet::of(IpPrefix{address, at->first.second});
    const auto holders = holders_.find(subnet);
    if (holders != holders_.end()) return *best(holders->second, subnet);
  }
  return std::nullopt;
}

std::optional<NodeAddress> Owners::find(const MacAddress& mac) const {
  const Subnet subnet = Subnet::of(mac);
  const auto holders = holders_.find(subnet);
  if (holders == holders_.end()) return std::nullopt;
  return *best(holders->second, subnet);
}

std::vector<Subnet> Owners::subnets(const NodeAddress& owner) const {
  const auto at = owners_.find(owner);
  if (at == owners_.end()) return {};
  return {at->second.subnets.begin(), at->second.subnets.end()};
}

void Owners::index(const NodeAddress& owner, const Subnet& subnet) {
  const bool first = holders_[subnet].empty();
  holders_[subnet].insert(owner);
  if (first && subnet.kind != Subnet::Kind::Mac)
    ++lengths_[{subnet.prefix.address.family, subnet.prefix.length}];
}

void Owners::unindex(const NodeAddress& owner, const Subnet& subnet) {
  const auto at = holders_.find(subnet);
  if (at == holders_.end() || at->second.erase(owner) == 0 || !at->second.empty()) return;
  holders_.erase(at);
  if (subnet.kind == Subnet::Kind::Mac) return;
  const auto length = lengths_.find({subnet.prefix.address.family, subnet.prefix.length});
  if (--length->second == 0) lengths_.erase(length);
}

const NodeAddress* Owners::best(const std::set<NodeAddress>& holders, const Subnet& subnet) const {
  for (const NodeAddress& holder : holders)
    if (owners_.at(holder).proven.contains(subnet)) return &holder;
  return &*holders.begin();
}

}  // namespace wattle::metad
