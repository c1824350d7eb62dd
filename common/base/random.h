// Randomness as a parameter: daemons pass common/os/random.h, tests a seeded one.
#pragma once

#include "common/base/bytes.h"

namespace wattle {

class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(MutableBytes out) = 0;  // cannot fail; cryptographic quality in daemons

  std::uint32_t u32() {
    ByteArray<4> b;
    fill(b);
    return std::uint32_t{b[0]} << 24 | std::uint32_t{b[1]} << 16 | std::uint32_t{b[2]} << 8 | b[3];
  }
  std::uint64_t u64() { return std::uint64_t{u32()} << 32 | u32(); }
};

}  // namespace wattle
