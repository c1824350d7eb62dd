// How much one client (an IPv4 address, or an IPv6 /64) may ask of the registry. Pure: the time is
// a parameter. Bounded: of more clients than kMaxClients the one seen longest ago is forgotten.
//  - every request: 240 at once, then 2 a second
//  - failed joins (wrong token, proof, signature, nonsense): 20 at once, then 5 a minute. Joins
//  that
//    come with a good token do not count, so a room full of machines behind one address can join.
#pragma once

#include <list>
#include <map>

#include "common/base/token_bucket.h"
#include "common/net/ip_address.h"
#include "common/proto/node_address.h"

namespace wattle::registry {

// The key under which a client is counted.
IpPrefix client_of(const IpAddress& address);

class ClientLimits {
 public:
  static constexpr std::size_t kMaxClients = 4096;

  // False: answer 429. Takes a token.
  bool admit(const IpAddress& client, Instant now);
  // False: answer 429 without looking at the join. Takes nothing.
  bool may_join(const IpAddress& client, Instant now);
  void join_failed(const IpAddress& client, Instant now);
  std::size_t size() const { return clients_.size(); }

 private:
  struct Client {
    TokenBucket requests{1, 240, std::chrono::milliseconds(500)};
    TokenBucket failures{1, 20, std::chrono::seconds(12)};
    std::list<IpPrefix>::iterator age;
  };
  Client& find(const IpAddress& address);

  std::map<IpPrefix, Client> clients_;
  std::list<IpPrefix> by_age_;  // most recently seen first
};

// How often one member may renew: 5 at once, then 1 a minute; with certificates of less than 6
// minutes, then 6 in their life. Asked only after the member's signature was verified, so nobody
// else uses it up. Bounded as above.
class RenewalLimits {
 public:
  static constexpr std::size_t kMaxMembers = 4096;
  static constexpr std::uint32_t kBurst = 5;

  // False: answer 429. Takes a token.
  bool admit(const NodeAddress& member, std::uint64_t lifetime_s, Instant now);

 private:
  struct Entry {
    TokenBucket renewals;
    std::list<NodeAddress>::iterator age;
  };
  std::map<NodeAddress, Entry> members_;
  std::list<NodeAddress> by_age_;  // most recently seen first
};

}  // namespace wattle::registry
