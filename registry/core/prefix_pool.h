// Allocation of member prefixes inside the network as re6st does it (protocols.md 2.3), and of IPv4
// addresses. A prefix is a string of '0' and '1' (common/proto/prefix_bits.h). Pure.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/net/ip_address.h"

namespace wattle::registry {

class PrefixPool {
 public:
  // `max_bits`: 128 - length of the network's prefix.
  explicit PrefixPool(std::size_t max_bits);

  // The bits that take(wanted) would hand out: the longest free leaf that is not longer than wanted
  // (the numerically smallest of equals), split down along zeros. Never the full-length prefix of
  // all zeros, which is the network's subnet-router anycast address. Full if there is none.
  Result<std::string> propose(std::size_t wanted) const;
  Result<std::string> take(std::size_t wanted);

  // Notes that these bits are in use (replay of the journal). Exists if they overlap a used prefix.
  Result<void> mark(std::string_view bits);

  // Notes that nothing up to this position (`max_bits` bits) is to be proposed any more.
  void set_aside(std::string_view last);

  // True if no used prefix overlaps these bits.
  bool is_free(std::string_view bits) const;

  const std::set<std::string>& free_leaves() const { return free_; }

 private:
  std::size_t max_bits_;
  std::set<std::string> free_;
};

// The lowest address of the block above `above` that is not used, leaving out its network and
// broadcast address.
Result<IpAddress> lowest_free_ipv4(const IpPrefix& block, const std::set<IpAddress>& used,
                                   const IpAddress& above = {});

// True if `address` is a host address of the block: inside, not its network nor its broadcast
// address.
bool is_host_of(const IpPrefix& block, const IpAddress& address);

}  // namespace wattle::registry
