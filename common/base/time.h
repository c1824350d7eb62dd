// Time as values. Instant is monotonic (since an arbitrary start), UnixTime is seconds of the wall
// clock. Neither can be read here: clocks live in common/os/clock.h and enter cores as parameters.
#pragma once

#include <chrono>
#include <cstdint>

namespace wattle {

using Duration = std::chrono::nanoseconds;

struct MonotonicTag {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = Duration;
  using time_point = std::chrono::time_point<MonotonicTag, Duration>;
  static constexpr bool is_steady = true;
};
using Instant = MonotonicTag::time_point;

inline constexpr Instant kNever = Instant::max();  // "no deadline"

struct UnixTime {
  std::uint64_t seconds = 0;
  auto operator<=>(const UnixTime&) const = default;
};

}  // namespace wattle
