#include "registry/core/client_limits.h"

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
  if (clients_.size() >= kMaxClients) {
    clients_.erase(by_age_.back());
    by_age_.pop_back();
  }
  by_age_.push_front(key);
  Client& client = clients_[key];
  client.age = by_age_.begin();
  return client;
}

bool ClientLimits::admit(const IpAddress& client, Instant now) {
  return find(client).requests.take(now);
}

bool ClientLimits::may_join(const IpAddress& client, Instant now) {
  return find(client).failures.has(now);
}

void ClientLimits::join_failed(const IpAddress& client, Instant now) {
  find(client).failures.take(now);
}

}  // namespace wattle::registry
