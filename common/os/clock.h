// The two clocks. The only place (with os/random) where time enters.
#pragma once

#include "common/base/time.h"

namespace wattle::os {

Instant now();        // CLOCK_BOOTTIME: counts through suspend
UnixTime unix_now();  // wall clock, seconds
std::uint64_t unix_now_ms();

}  // namespace wattle::os
