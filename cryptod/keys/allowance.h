// How often keyd signs: a bucket that fills by one every `period_ms` up to `burst`. Pure, by wall
// clock (it has to survive a restart in the counter file); a clock set back gives nothing and takes
// nothing, a clock set forward can at most fill the bucket.
#pragma once

#include <compare>
#include <cstdint>

namespace wattle::keys {

struct Rate {
  std::uint64_t period_ms;
  std::uint64_t burst;
};

// DESIGN 2. Enrolments (renewals) are rare: the same order as packet-key records.
inline constexpr Rate kRecordRate{5000, 20};
inline constexpr Rate kOriginRate{500, 20};
inline constexpr Rate kEnrolmentRate{10000, 20};

struct Allowance {
  std::uint64_t credit_ms = 0;  // what has been saved up; one signature costs period_ms
  std::uint64_t at_ms = 0;      // when that was; 0 (never used) means full

  auto operator<=>(const Allowance&) const = default;
};

// Takes one signature's worth: 0 if it was there (and `allowance` changed), else the milliseconds
// until it will be.
std::uint64_t take(Allowance& allowance, const Rate& rate, std::uint64_t now_ms);

}  // namespace wattle::keys
