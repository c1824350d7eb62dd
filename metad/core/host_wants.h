// Origin records that are being asked for with REQ_HOST, and which links wait for them. Each member
// is asked for once in kGap, whoever wants it, so that requests neither pile up nor circle.
// Bounded: kMaxWants, kMaxWaiters; what is over is not asked.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "common/proto/node_address.h"
#include "metad/core/ids.h"

namespace wattle::metad {

class HostWants {
 public:
  static constexpr std::size_t kMaxWants = 256;
  static constexpr std::size_t kMaxWaiters = 16;
  static constexpr Duration kGap = std::chrono::seconds(30);

  // True: ask now. waiter: the link that wants it, 0: ourselves.
  bool add(const NodeAddress& address, std::uint64_t min_seqno, LinkId waiter, Instant now);
  // A record with this seqno is here: the links that have waited for it, each once.
  std::vector<LinkId> arrived(const NodeAddress& address, std::uint64_t seqno, Instant now);
  void link_down(LinkId link);

 private:
  struct Want {
    std::uint64_t min_seqno = 0;
    std::set<LinkId> waiters;
    Instant asked{};
  };
  std::map<NodeAddress, Want> wants_;
};

}  // namespace wattle::metad
