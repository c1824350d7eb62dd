#include "cryptod/io/tap_port.h"

#include <unistd.h>
#include <cerrno>
#include <cstring>

namespace wattle::cryptod {

namespace {

// struct virtio_net_hdr (virtio 1.2, 5.1.6; <linux/virtio_net.h> is no C++): flags, gso_type, then
// four 16-bit fields.
constexpr std::uint8_t kNeedsChecksum = 1;
constexpr std::uint8_t kGsoNone = 0;

bool is_plain(const std::uint8_t* header) {
  return (header[0] & kNeedsChecksum) == 0 && header[1] == kGsoNone;
}

}  // namespace

TapPort::TapPort(os::Fd queue)
    : queue_(std::move(queue)),
      slots_(std::make_unique_for_overwrite<std::uint8_t[]>(kBatch * kSlot)) {
  static_assert(kSlot > kVirtioHeader + kMaxFrame);
}

TapPort::Taken TapPort::receive(std::vector<ByteView>& out, Counters& counters) {
  out.clear();
  for (std::size_t i = 0; i < kBatch;) {
    std::uint8_t* slot = slots_.get() + i * kSlot;
    const ssize_t n = ::read(queue_.raw(), slot, kSlot);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      if (errno == EAGAIN) return Taken::Drained;
      counters.add(Counter::IoTapFailed);
      return errno == EBADFD || errno == EIO ? Taken::Gone : Taken::Drained;
    }
    ++i;
    const auto size = static_cast<std::size_t>(n);
    if (size >= kSlot || size < kVirtioHeader) {
      counters.add(Counter::IoTruncated);
      continue;
    }
    if (!is_plain(slot)) {
      counters.add(Counter::IoTapOffload);
      continue;
    }
    out.emplace_back(slot + kVirtioHeader, size - kVirtioHeader);
  }
  return Taken::More;
}

void TapPort::send(std::span<const OutFrame> frames, Counters& counters) {
  for (const OutFrame& out : frames) {
    std::uint8_t* start = out.frame.data() - kVirtioHeader;
    std::memset(start, 0, kVirtioHeader);
    ssize_t n = 0;
    do {
      n = ::write(queue_.raw(), start, out.frame.size() + kVirtioHeader);
    } while (n < 0 && errno == EINTR);
    if (n >= 0) continue;
    const bool full = errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM;
    counters.add(full ? Counter::IoTapBlocked : Counter::IoTapFailed);
  }
}

}  // namespace wattle::cryptod
