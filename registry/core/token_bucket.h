// A token bucket whose clock is a parameter: `burst` at once, refilled by one each `period`.
#pragma once

#include "common/base/time.h"

namespace wattle::registry {

class TokenBucket {
 public:
  TokenBucket(std::uint32_t burst, Duration period)
      : burst_(burst), period_(period), left_(burst) {}

  // True if there is a token; it is not taken.
  bool has(Instant now) {
    refill(now);
    return left_ != 0;
  }
  bool take(Instant now) {
    if (!has(now)) return false;
    --left_;
    return true;
  }
  bool is_full(Instant now) {
    refill(now);
    return left_ == burst_;
  }

 private:
  void refill(Instant now) {
    if (left_ == burst_) since_ = now;
    if (now <= since_) return;
    const auto gained = (now - since_) / period_;
    if (gained <= 0) return;
    since_ += gained * period_;
    left_ = gained >= burst_ - left_ ? burst_ : left_ + static_cast<std::uint32_t>(gained);
  }

  std::uint32_t burst_;
  Duration period_;
  std::uint32_t left_;
  Instant since_{};
};

}  // namespace wattle::registry
