// The TAP queue that tapd handed over: frames in and out in batches, each behind the 10-byte
// virtio-net header (IFF_VNET_HDR). tapd sets no offloads, so every frame that comes is whole and
// its checksums are complete; one that says otherwise is dropped and counted.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "common/os/fd.h"
#include "cryptod/core/actions.h"
#include "cryptod/core/counters.h"

namespace wattle::cryptod {

class TapPort {
 public:
  static constexpr std::size_t kVirtioHeader = 10;
  static constexpr std::size_t kBatch = 32;

  explicit TapPort(os::Fd queue);

  int queue() const { return queue_.raw(); }

  // Up to kBatch frames; `out` is replaced, its views live until the next call. Gone: somebody
  // deleted the device; the queue will stay readable for ever, so stop watching it.
  enum class Taken { More, Drained, Gone };
  Taken receive(std::vector<ByteView>& out, Counters& counters);

  // Writes the virtio-net header into each frame's headroom, then both with one call.
  void send(std::span<const OutFrame> frames, Counters& counters);

 private:
  static_assert(kFrameHeadroom == kVirtioHeader);
  static constexpr std::size_t kSlot = 9216;  // header and kMaxFrame, and some

  os::Fd queue_;
  std::unique_ptr<std::uint8_t[]> slots_;
};

}  // namespace wattle::cryptod
