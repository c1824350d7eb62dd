#include "metad/ctl/up_restart.h"

#include <algorithm>

namespace wattle::ctl {

Duration RestartPolicy::on_end(Instant started, Instant ended) {
  if (ended - started >= kLongLife) next_ = Duration::zero();
  const Duration delay = next_;
  next_ = delay == Duration::zero() ? kFirstDelay : std::min<Duration>(delay * 2, kLongestDelay);
  return delay;
}

}  // namespace wattle::ctl
