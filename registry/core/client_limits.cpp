#include "registry/core/client_limits.h"

#include "common/base/mutant.h"

#include <algorithm>

namespace wattle::registry {

IpPrefix client_of(const IpAddress& address) {
  return IpPrefix{address, static_cast<std::uint8_t>(address.is_v4() ? 32 : 64)}.network();
}

ClientLimits::Client& ClientLimits::find(const IpAddress& address) {
  const IpPrefix key = client_of(address);
  const auto at = clients_.find(key);
  if (at != clients_.end()) {
    by_age_.splice(by_age_.begin(), by_age_, at->second.age);
    return at->second;
  }
  if (WATTLE_CHECKED(client_most, clients_.size() >= kMaxClients)) {
    clients_.erase(by_age_.back());
    by_age_.pop_back();
  }
  by_age_.push_front(key);
  Client& client = clients_[key];
  client.age = by_age_.begin();
  return client;
}

bool ClientLimits::admit(const IpAddress& client, Instant now) {
  return WATTLE_CHECKED(client_rate, find(client).requests.take(now));
}

bool ClientLimits::may_join(const IpAddress& client, Instant now) {
  return WATTLE_CHECKED(client_failures, find(client).failures.has(now));
}

void ClientLimits::join_failed(const IpAddress& client, Instant now) {
  find(client).failures.take(now);
}

bool RenewalLimits::admit(const NodeAddress& member, std::uint64_t lifetime_s, Instant now) {
  const auto at = members_.find(member);
  if (at != members_.end()) {
    by_age_.splice(by_age_.begin(), by_age_, at->second.age);
    return WATTLE_CHECKED(renewal_rate, at->second.renewals.take(now));
  }
  if (members_.size() >= kMaxMembers) {
    members_.erase(by_age_.back());
    by_age_.pop_back();
  }
  by_age_.push_front(member);
  const Duration period = std::clamp<Duration>(std::chrono::seconds(lifetime_s / 6),
                                               std::chrono::seconds(1), std::chrono::seconds(60));
  const auto added =
      members_.emplace(member, Entry{TokenBucket(1, kBurst, period), by_age_.begin()});
  return added.first->second.renewals.take(now);
}

}  // namespace wattle::registry
