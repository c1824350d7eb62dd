// What the registry needs in memory to propose a prefix and an IPv4 address: a view of the members'
// allocations (re6st's rules, prefix_pool.h). Pure.
#pragma once

#include <optional>
#include <set>

#include "common/proto/genesis.h"
#include "registry/core/prefix_pool.h"

namespace wattle::registry {

class Roster {
 public:
  explicit Roster(const IpPrefix& network6, const IpPrefix& network4);

  // A member of the journal. Errors mean that the view does not fit the network.
  Result<void> add(const IpPrefix& prefix6, const IpAddress& ipv4);

  bool has(const IpAddress& ipv4) const { return ipv4_.contains(ipv4); }
  // After a loss of the journal: nothing at or below these addresses is proposed any more, and
  // members that come back with such ones are added all the same.
  Result<void> set_aside(const IpAddress& last6, const IpAddress& last4);

  struct Proposal {
    IpPrefix prefix6;
    IpAddress ipv4;
  };
  // Full with a sentence that says of what there is no more.
  Result<Proposal> propose(std::uint8_t prefix_length) const;

 private:
  IpPrefix network6_, network4_;
  PrefixPool prefixes_;
  std::set<IpAddress> ipv4_;
  std::optional<IpAddress> last6_;
  IpAddress last4_;
};

}  // namespace wattle::registry
