// When a daemon that ended is started again: at once the first time, then after 100 ms, 200 ms ...
// 5 s; five seconds of life begin the row anew. Pure.
#pragma once

#include "common/base/time.h"

namespace wattle::ctl {

class RestartPolicy {
 public:
  static constexpr Duration kFirstDelay = std::chrono::milliseconds(100);
  static constexpr Duration kLongestDelay = std::chrono::seconds(5);
  static constexpr Duration kLongLife = std::chrono::seconds(5);

  // How long to wait before the next start of a daemon that lived from `started` to `ended`.
  Duration on_end(Instant started, Instant ended);
  void reset() { next_ = Duration::zero(); }

 private:
  Duration next_ = Duration::zero();
};

}  // namespace wattle::ctl
