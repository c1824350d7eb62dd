#include "cryptod/core/source_budget.h"

namespace wattle::cryptod {

SourceBudget::SourceBudget(Random& random)
    : key_(random.u64() | 1),
      slots_(kSlots, TokenBucket(kSourceRate, kSourceBurst)),
      all_(kAllRate, kAllBurst) {}

SourceBudget::Verdict SourceBudget::take(Instant now, const IpAddress& source) {
  std::uint64_t hash = key_ ^ source.family;
  for (const std::uint8_t byte : source.view().first(source.is_v4() ? 4 : 8)) {
    hash = (hash ^ byte) * key_;
    hash ^= hash >> 29;
  }
  if (!slots_[hash % kSlots].take(now)) return Verdict::Source;
  return all_.take(now) ? Verdict::Pass : Verdict::All;
}

}  // namespace wattle::cryptod
