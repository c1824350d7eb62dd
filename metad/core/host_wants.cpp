#include "metad/core/host_wants.h"

#include <algorithm>

namespace wattle::metad {

bool HostWants::add(const NodeAddress& address, std::uint64_t min_seqno, LinkId waiter,
                    Instant now) {
  std::erase_if(wants_, [&](const auto& item) { return now - item.second.asked >= kGap; });
  auto at = wants_.find(address);
  const bool first = at == wants_.end();
  if (first) {
    if (wants_.size() >= kMaxWants) return false;
    at = wants_.emplace(address, Want{min_seqno, {}, now}).first;
  }
  Want& want = at->second;
  want.min_seqno = std::max(want.min_seqno, min_seqno);
  if (waiter != 0 && want.waiters.size() < kMaxWaiters) want.waiters.insert(waiter);
  return first;
}

std::vector<LinkId> HostWants::arrived(const NodeAddress& address, std::uint64_t seqno,
                                       Instant now) {
  const auto at = wants_.find(address);
  if (at == wants_.end() || at->second.min_seqno > seqno) return {};
  std::vector<LinkId> out;
  if (now - at->second.asked < kGap)
    out.assign(at->second.waiters.begin(), at->second.waiters.end());
  at->second.waiters.clear();
  return out;
}

void HostWants::link_down(LinkId link) {
  for (auto& [address, want] : wants_) want.waiters.erase(link);
}

}  // namespace wattle::metad
