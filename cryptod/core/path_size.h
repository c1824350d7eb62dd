// How long packets may be on a way: what Ethernet carries, until the kernel says that a link here
// carries less; then the next smaller one of some usual sizes, and after a while all again.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "common/base/time.h"

namespace wattle::cryptod {

class PathSize {
 public:
  static constexpr std::array<std::size_t, 8> kSizes{1500, 1492, 1420, 1280, 1152, 1024, 800, 576};
  static constexpr Duration kKeep = std::chrono::minutes(10);

  // Bytes of a packet with its IP header.
  std::size_t at(Instant now) const { return now < until_ ? size_ : kSizes.front(); }
  // A packet of `size` bytes did not fit. True: smaller ones are sent from now on.
  bool too_big(std::size_t size, Instant now) {
    const auto fit = std::find_if(kSizes.begin(), kSizes.end(), [&](auto s) { return s < size; });
    if (fit == kSizes.end() || *fit >= at(now)) return false;
    size_ = static_cast<std::uint16_t>(*fit);
    until_ = now + kKeep;
    return true;
  }

 private:
  std::uint16_t size_ = kSizes.front();
  Instant until_{};  // size_ holds so long
};

}  // namespace wattle::cryptod
