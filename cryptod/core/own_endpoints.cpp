#include "cryptod/core/own_endpoints.h"

#include "common/base/mutant.h"

#include <algorithm>

namespace wattle::cryptod {

bool OwnEndpoints::is_own(const Endpoint& endpoint) const {
  const std::uint16_t port = endpoint.address.is_v4() ? ctx_.device.port4 : ctx_.device.port6;
  const auto& own = ctx_.device.addresses;
  return endpoint.port == port && std::find(own.begin(), own.end(), endpoint.address) != own.end();
}

bool OwnEndpoints::usable(const Endpoint& endpoint) const {
  const IpAddress& a = endpoint.address;
  const std::uint16_t own_port = a.is_v4() ? ctx_.device.port4 : ctx_.device.port6;
  if (own_port == 0 ||
      WATTLE_CHECKED(endpoint_kind, endpoint.port == 0 || a.is_unspecified() || a.is_multicast()))
    return false;
  if (WATTLE_CHECKED(endpoint_inside,
                     ctx_.config.prefix4.contains(a) || ctx_.config.prefix6.contains(a)))
    return false;
  return !WATTLE_CHECKED(endpoint_own, is_own(endpoint));
}

void OwnEndpoints::told(const Peer& by, const Endpoint& endpoint) {
  const IpAddress& a = endpoint.address;
  const auto known = std::find_if(told_.begin(), told_.end(), [&](const Told& t) {
    return t.by == by.slot && t.endpoint.address.family == a.family;
  });
  const bool plain = is_own(endpoint) || a.is_loopback() || a.is_link_local() || !usable(endpoint);
  if (known != told_.end()) known->at = ctx_.now();
  if (known != told_.end() && known->endpoint == endpoint && !plain) return;
  if (plain) {
    if (known == told_.end()) return;
    told_.erase(known);
  } else if (known != told_.end()) {
    known->endpoint = endpoint;
  } else if (told_.size() < kTellers) {
    told_.push_back({by.slot, endpoint, ctx_.now()});
  } else {
    return;
  }
  update();
}

void OwnEndpoints::forget(const Peer& by) {
  if (std::erase_if(told_, [&](const Told& t) { return t.by == by.slot; }) != 0) update();
}

// What most neighbours say comes first; among equals the older.
void OwnEndpoints::update() {
  std::vector<std::pair<Endpoint, std::size_t>> votes;
  for (const Told& t : told_) {
    const auto same = std::find_if(votes.begin(), votes.end(),
                                   [&](const auto& v) { return v.first == t.endpoint; });
    if (same != votes.end())
      ++same->second;
    else
      votes.emplace_back(t.endpoint, 1);
  }
  std::stable_sort(votes.begin(), votes.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  if (votes.size() > kSeen) votes.resize(kSeen);
  std::vector<Endpoint> seen;
  for (const auto& [endpoint, count] : votes) seen.push_back(endpoint);
  if (seen == seen_) return;
  seen_ = std::move(seen);
  tell();
}

void OwnEndpoints::tell() const {
  const DeviceState& d = ctx_.device;
  if (d.port4 != 0 || d.port6 != 0)
    ctx_.tell_metad(meta_link::LocalEndpoints{d.addresses, d.port4, d.port6, seen_});
}

bool OwnEndpoints::changing() const {
  for (const Told& one : told_)
    for (const Told& other : told_)
      if (one.endpoint.address == other.endpoint.address &&
          one.endpoint.port != other.endpoint.port && ctx_.now() < one.at + kFresh &&
          ctx_.now() < other.at + kFresh)
        return true;
  return false;
}

std::vector<Endpoint> OwnEndpoints::all(std::size_t most) const {
  std::vector<Endpoint> out(seen_);
  for (const IpAddress& a : ctx_.device.addresses) {
    const std::uint16_t port = a.is_v4() ? ctx_.device.port4 : ctx_.device.port6;
    const bool inside = ctx_.config.prefix4.contains(a) || ctx_.config.prefix6.contains(a);
    if (port == 0 || inside || a.is_unspecified() || a.is_loopback() || a.is_link_local()) continue;
    out.push_back({a, port});
  }
  if (out.size() > most) out.resize(most);
  return out;
}

}  // namespace wattle::cryptod
