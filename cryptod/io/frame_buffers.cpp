#include "cryptod/io/frame_buffers.h"

namespace wattle::cryptod {

FrameBuffers::FrameBuffers()
    : bytes_(std::make_unique_for_overwrite<std::uint8_t[]>(kCount * kSize)) {
  for (std::size_t i = 0; i < kCount; ++i) stack_[i] = static_cast<std::uint16_t>(kCount - 1 - i);
}

}  // namespace wattle::cryptod
