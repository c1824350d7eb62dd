#include "metad/core/way_trace.h"

namespace wattle::metad {

bool WayTrace::add(std::uint64_t id, LinkId from, ControlId control, LinkId to, Instant now) {
  forget_old(now);
  if (passed_.size() >= kMax) return false;
  return passed_.try_emplace(id, Passed{from, control, to, now + kMemory}).second;
}

std::optional<WayTrace::Passed> WayTrace::take(std::uint64_t id, LinkId answered_by, Instant now) {
  forget_old(now);
  const auto at = passed_.find(id);
  if (at == passed_.end() || at->second.to == 0 || at->second.to != answered_by)
    return std::nullopt;
  const Passed out = at->second;
  at->second.to = 0;  // remembered still: its id is not taken again
  return out;
}

void WayTrace::forget_old(Instant now) {
  std::erase_if(passed_, [&](const auto& item) { return item.second.until <= now; });
}

std::string print_hop(const WayHop& hop) {
  return hop.name + "/" + std::to_string(hop.metric) + "/" + std::to_string(hop.rtt_us);
}

}  // namespace wattle::metad
