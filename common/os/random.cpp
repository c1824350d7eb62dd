#include "common/os/random.h"

#include <sys/random.h>
#include <cerrno>

#include "common/base/check.h"

namespace wattle::os {

void SystemRandom::fill(MutableBytes out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    WATTLE_CHECK(got > 0);
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace wattle::os
