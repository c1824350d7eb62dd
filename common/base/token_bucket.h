// A token bucket: `rate` tokens each `period` (a second unless said), at most `burst` saved up.
// Pure: time is a parameter, and time that stands still or runs backwards adds nothing.
#pragma once

#include <cstdint>

#include "common/base/time.h"

namespace wattle {

class TokenBucket {
 public:
  // rate and burst: 1 .. 10^6, period: 1 ns .. 1 h. It starts full.
  constexpr TokenBucket(std::uint64_t rate, std::uint64_t burst,
                        Duration period = std::chrono::seconds(1))
      : rate_(rate),
        burst_(burst),
        unit_(static_cast<std::uint64_t>(period.count())),
        level_(burst * unit_) {}

  // Takes n tokens if they are there, else none.
  constexpr bool take(Instant now, std::uint64_t n = 1) {
    fill(now);
    if (n > burst_ || level_ < n * unit_) return false;
    level_ -= n * unit_;
    return true;
  }

  // True if one is there; it is not taken.
  constexpr bool has(Instant now) { return left(now) != 0; }
  constexpr bool is_full(Instant now) {
    fill(now);
    return level_ == burst_ * unit_;
  }

  // Whole tokens at hand.
  constexpr std::uint64_t left(Instant now) {
    fill(now);
    return level_ / unit_;
  }

  // When n tokens (at most burst) will be there; now if they are.
  constexpr Instant ready_at(Instant now, std::uint64_t n = 1) {
    fill(now);
    const std::uint64_t wanted = n * unit_;
    if (level_ >= wanted) return now;
    const std::uint64_t wait = (wanted - level_ + rate_ - 1) / rate_;
    return now + Duration(static_cast<Duration::rep>(wait));
  }

 private:
  constexpr void fill(Instant now) {
    if (!started_) {
      started_ = true;
      last_ = now;
    }
    if (now <= last_) return;
    const auto elapsed = static_cast<std::uint64_t>((now - last_).count());
    last_ = now;
    const std::uint64_t missing = burst_ * unit_ - level_;
    level_ += elapsed > missing / rate_ ? missing : elapsed * rate_;
  }

  std::uint64_t rate_;
  std::uint64_t burst_;
  std::uint64_t unit_;  // of a token, in ns: level_ counts tokens of 1 / unit_
  std::uint64_t level_;
  Instant last_{};
  bool started_ = false;
};

}  // namespace wattle
