// The TAP queue that tapd handed over: frames and super-frames in and out in batches, each behind
// its virtio-net header (IFF_VNET_HDR; offload.h).
#pragma once

#include <sys/uio.h>
#include <span>
#include <vector>

#include "common/os/fd.h"
#include "cryptod/core/actions.h"
#include "cryptod/core/counters.h"
#include "cryptod/io/frame_buffers.h"

namespace wattle::cryptod {

class TapPort {
 public:
  static constexpr std::size_t kBatch = 64;
  static constexpr std::size_t kBatchBytes = 1024 * 1024;

  // Asks the kernel for these offloads; what it does not know is left out, and said.
  TapPort(os::Fd queue, const Offloads& wanted);

  int queue() const { return queue_.raw(); }
  // False where the kernel has refused USO: it does not take such rows either.
  bool takes_udp_rows() const { return takes_udp_rows_; }

  // Appends up to kBatch frames or some more than kBatchBytes, each in a buffer that the caller
  // gives back; `buffers` has one free. Gone: somebody deleted the device; the queue will stay
  // readable for ever, so stop watching it.
  enum class Taken { More, Drained, Gone };
  Taken receive(FrameBuffers& buffers, std::vector<TapFrame>& out, Counters& counters);

  // Writes the virtio-net header into each frame's headroom, then all of it with one call.
  // `pieces`: Actions::pieces.
  void send(std::span<const OutFrame> frames, std::span<const ByteView> pieces, Counters& counters);

  // The parts of these, for whoever reads and writes the queue in another way.
  // What a read left in `buffer`, `size` bytes: appended, or counted and the buffer given back.
  static void take(FrameBuffers& buffers, std::uint16_t buffer, std::size_t size,
                   std::vector<TapFrame>& out, Counters& counters);
  // The header written and all parts listed; returns how many they are.
  static constexpr std::size_t kMaxParts = Joiner::kMaxSegments;
  static std::size_t list_parts(const OutFrame& out, std::span<const ByteView> pieces,
                                std::span<iovec> parts);
  static void count_failed(int error, Counters& counters);

 private:
  static_assert(kFrameHeadroom == kVirtioHeader);

  void set_offloads(const Offloads& wanted);
  bool write_frame(const OutFrame& out, std::span<const ByteView> pieces);

  os::Fd queue_;
  bool takes_udp_rows_ = true;
};

}  // namespace wattle::cryptod
