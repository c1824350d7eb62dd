// Which counters of a session have been seen: those in (newest - 8192, newest]; older ones count as
// seen. A ring of 128 words (RFC 6479), cleared bit by bit so that the window is exact.
#pragma once

#include <array>
#include <cstdint>

#include "common/base/mutant.h"

namespace wattle::cryptod {

class ReplayWindow {
 public:
  static constexpr std::uint64_t kSize = 8192;

  // True if this counter may still come.
  bool fresh(std::uint64_t counter) const {
    if (empty_ || counter > newest_) return true;
    return WATTLE_CHECKED(window_old, newest_ - counter < kSize) &&
           WATTLE_CHECKED(window_seen, (word(counter) & mask(counter)) == 0);
  }

  // Marks it as seen. Only after the tag proved right. True if it is the newest so far.
  bool commit(std::uint64_t counter);

 private:
  static constexpr std::uint64_t mask(std::uint64_t c) { return std::uint64_t{1} << (c % 64); }
  std::uint64_t word(std::uint64_t c) const { return words_[c % kSize / 64]; }
  std::uint64_t& word(std::uint64_t c) { return words_[c % kSize / 64]; }
  void clear(std::uint64_t first, std::uint64_t last);

  std::array<std::uint64_t, kSize / 64> words_{};
  std::uint64_t newest_ = 0;
  bool empty_ = true;
};

}  // namespace wattle::cryptod
