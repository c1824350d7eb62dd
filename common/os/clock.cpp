#include "common/os/clock.h"

#include <time.h>

#include "common/base/check.h"

namespace wattle::os {

namespace {

timespec read_clock(clockid_t clock) {
  timespec t{};
  WATTLE_CHECK(clock_gettime(clock, &t) == 0);
  return t;
}

}  // namespace

Instant now() {
  const timespec t = read_clock(CLOCK_BOOTTIME);
  return Instant(std::chrono::seconds(t.tv_sec) + Duration(t.tv_nsec));
}

UnixTime unix_now() {
  return UnixTime{static_cast<std::uint64_t>(read_clock(CLOCK_REALTIME).tv_sec)};
}

std::uint64_t unix_now_ms() {
  const timespec t = read_clock(CLOCK_REALTIME);
  return static_cast<std::uint64_t>(t.tv_sec) * 1000 +
         static_cast<std::uint64_t>(t.tv_nsec) / 1000000;
}

}  // namespace wattle::os
