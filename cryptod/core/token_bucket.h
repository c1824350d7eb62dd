// A token bucket: `rate` tokens per second, at most `burst` saved up. Pure: time is a parameter,
// and time that stands still or runs backwards adds nothing.
#pragma once

#include <cstdint>

#include "common/base/time.h"

namespace wattle::cryptod {

class TokenBucket {
 public:
  // rate and burst: 1 .. 10^9. It starts full.
  constexpr TokenBucket(std::uint64_t rate, std::uint64_t burst)
      : rate_(rate), burst_(burst), level_(burst * kUnit) {}

  // Takes n tokens if they are there, else none.
  constexpr bool take(Instant now, std::uint64_t n = 1) {
    fill(now);
    if (n > burst_ || level_ < n * kUnit) return false;
    level_ -= n * kUnit;
    return true;
  }

  // Whole tokens at hand.
  constexpr std::uint64_t left(Instant now) {
    fill(now);
    return level_ / kUnit;
  }

  // When n tokens (at most burst) will be there; now if they are.
  constexpr Instant ready_at(Instant now, std::uint64_t n = 1) {
    fill(now);
    const std::uint64_t wanted = n * kUnit;
    if (level_ >= wanted) return now;
    const std::uint64_t wait = (wanted - level_ + rate_ - 1) / rate_;
    return now + Duration(static_cast<Duration::rep>(wait));
  }

 private:
  static constexpr std::uint64_t kUnit = 1'000'000'000;  // level is in 10^-9 tokens

  constexpr void fill(Instant now) {
    if (!started_) {
      started_ = true;
      last_ = now;
    }
    if (now <= last_) return;
    const auto elapsed = static_cast<std::uint64_t>((now - last_).count());
    last_ = now;
    const std::uint64_t missing = burst_ * kUnit - level_;
    level_ += elapsed > missing / rate_ ? missing : elapsed * rate_;
  }

  std::uint64_t rate_;
  std::uint64_t burst_;
  std::uint64_t level_;
  Instant last_{};
  bool started_ = false;
};

}  // namespace wattle::cryptod
