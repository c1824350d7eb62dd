// Operations on a replay window, compared with a set. Input: two bytes each, a signed step from the
// newest counter; a third byte follows where the step is multiplied by a power of two.
#include <algorithm>
#include <set>

#include "common/base/check.h"
#include "common/base/reader.h"
#include "cryptod/core/replay_window.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wattle::Reader in(wattle::ByteView(data, size));
  wattle::cryptod::ReplayWindow window;
  std::set<std::uint64_t> got;
  std::uint64_t newest = 0;
  for (int i = 0; i < 5000 && in.left() >= 2; ++i) {
    const std::uint16_t word = in.u16();
    std::uint64_t step = word & 0x3fff;
    if ((word & 0x4000) != 0) step <<= in.u8() % 16;
    const std::uint64_t counter =
        (word & 0x8000) != 0 ? newest - std::min(newest, step) : newest + step;
    const bool fresh = got.empty() || (counter + wattle::cryptod::ReplayWindow::kSize > newest &&
                                       !got.contains(counter));
    WATTLE_CHECK(window.fresh(counter) == fresh);
    if (!fresh) continue;
    WATTLE_CHECK(window.commit(counter) == (got.empty() || counter > newest));
    got.insert(counter);
    newest = std::max(newest, counter);
    WATTLE_CHECK(!window.fresh(counter));
  }
  return 0;
}
