// Buffers for what is read from a TAP, one frame or super-frame each: taken for reading, kept while
// the frame waits (fair_queue.h), given back when it is done. The one that came back last is taken
// first, so of this memory only what waited at the same time is really there.
#pragma once

#include <array>
#include <memory>

#include "cryptod/core/fair_queue.h"

namespace wattle::cryptod {

class FrameBuffers {
 public:
  // So many more than frames may wait: a read always finds some.
  static constexpr std::size_t kCount = FairQueue::kMaxFrames + 128;
  // Of each; more than the longest. An odd number of cache lines: short frames in many buffers do
  // not compete for the same few places of the cache.
  static constexpr std::size_t kSize = 1025 * 64;
  static_assert(kSize > kVirtioHeader + kMaxSuperFrame);

  FrameBuffers();

  std::size_t free() const { return free_; }
  std::uint16_t take() { return stack_[--free_]; }  // free() > 0
  void give_back(std::uint16_t buffer) { stack_[free_++] = buffer; }
  MutableBytes at(std::uint16_t buffer) { return {bytes_.get() + buffer * kSize, kSize}; }

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::array<std::uint16_t, kCount> stack_;
  std::size_t free_ = kCount;
};

}  // namespace wattle::cryptod
