#include "cryptod/core/replay_window.h"

namespace wattle::cryptod {

bool ReplayWindow::commit(std::uint64_t counter) {
  const bool newest = empty_ || counter > newest_;
  if (newest) {
    if (empty_ || counter - newest_ >= kSize) {
      words_.fill(0);
    } else {
      clear(newest_ + 1, counter);
    }
    newest_ = counter;
    empty_ = false;
  } else if (newest_ - counter >= kSize) {
    return false;
  }
  word(counter) |= mask(counter);
  return newest;
}

// Bits of first..last, fewer than kSize of them, a word at a time.
void ReplayWindow::clear(std::uint64_t first, std::uint64_t last) {
  while (first <= last) {
    const std::uint64_t end = first | 63;  // the last counter of this word
    std::uint64_t bits = ~std::uint64_t{0} << (first % 64);
    if (end > last) bits &= ~std::uint64_t{0} >> (63 - last % 64);
    word(first) &= ~bits;
    if (end >= last) return;
    first = end + 1;
  }
}

}  // namespace wattle::cryptod
