// Handshakes that a source may make us work on, and all together: a fixed table of buckets indexed
// by a keyed hash of the source address (IPv6: its /64), so that memory is bounded and sources that
// share a bucket only share its rate.
#pragma once

#include <vector>

#include "common/base/random.h"
#include "common/base/token_bucket.h"
#include "common/net/ip_address.h"

namespace wattle::cryptod {

class SourceBudget {
 public:
  enum class Verdict { Pass, Source, All };

  static constexpr std::size_t kSlots = 4096;
  static constexpr std::uint64_t kSourceRate = 20, kSourceBurst = 60;
  static constexpr std::uint64_t kAllRate = 600, kAllBurst = 300;  // about a quarter of a core

  explicit SourceBudget(Random& random);
  Verdict take(Instant now, const IpAddress& source);

 private:
  std::uint64_t key_;
  std::vector<TokenBucket> slots_;
  TokenBucket all_;
};

}  // namespace wattle::cryptod
