// So many a second, and a burst. Pure: the time comes with each question.
#pragma once

#include "common/base/time.h"

namespace wattle::metad {

class TokenBucket {
 public:
  TokenBucket(double per_second, double burst)
      : per_second_(per_second), burst_(burst), level_(burst) {}

  bool take(Instant now, double cost = 1) {
    if (now > last_) {
      const std::chrono::duration<double> passed = now - last_;
      level_ = level_ + passed.count() * per_second_;
      if (level_ > burst_) level_ = burst_;
    }
    last_ = now;
    if (level_ < cost) return false;
    level_ -= cost;
    return true;
  }

 private:
  double per_second_, burst_, level_;
  Instant last_{};
};

}  // namespace wattle::metad
