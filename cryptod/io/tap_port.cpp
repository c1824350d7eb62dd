#include "cryptod/io/tap_port.h"

#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>
#include <array>
#include <cerrno>

#include "common/os/log.h"

namespace wattle::cryptod {

TapPort::TapPort(os::Fd queue, const Offloads& wanted) : queue_(std::move(queue)) {
  set_offloads(wanted);
}

void TapPort::set_offloads(const Offloads& wanted) {
  constexpr unsigned kUso = 0x20 | 0x40;  // TUN_F_USO4, TUN_F_USO6 (Linux 6.2)
  unsigned flags = 0;
  if (wanted.csum) flags |= TUN_F_CSUM;
  if (wanted.csum && wanted.tso) flags |= TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  if (wanted.csum && wanted.uso) flags |= kUso;
  if (::ioctl(queue_.raw(), TUNSETOFFLOAD, flags) == 0) return;
  takes_udp_rows_ = (flags & kUso) == 0;
  if (!takes_udp_rows_ && ::ioctl(queue_.raw(), TUNSETOFFLOAD, flags & ~kUso) == 0)
    return os::log::info("the kernel does not hand over rows of UDP datagrams (before Linux 6.2)");
  if (::ioctl(queue_.raw(), TUNSETOFFLOAD, 0U) == 0)
    os::log::info("the kernel hands over no checksums and no rows of segments");
}

TapPort::Taken TapPort::receive(FrameBuffers& buffers, std::vector<TapFrame>& out,
                                Counters& counters) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < kBatch && bytes < kBatchBytes && buffers.free() > 0;) {
    const std::uint16_t buffer = buffers.take();
    const MutableBytes place = buffers.at(buffer);
    const ssize_t n = ::read(queue_.raw(), place.data(), place.size());
    if (n < 0) {
      const int error = errno;
      buffers.give_back(buffer);
      if (error == EINTR) continue;
      if (error == EAGAIN) return Taken::Drained;
      counters.add(Counter::IoTapFailed);
      return error == EBADFD || error == EIO ? Taken::Gone : Taken::Drained;
    }
    ++i;
    bytes += static_cast<std::size_t>(n);
    take(buffers, buffer, static_cast<std::size_t>(n), out, counters);
  }
  return Taken::More;
}

void TapPort::take(FrameBuffers& buffers, std::uint16_t buffer, std::size_t size,
                   std::vector<TapFrame>& out, Counters& counters) {
  const MutableBytes place = buffers.at(buffer);
  const bool fits = size >= kVirtioHeader && size <= kVirtioHeader + kMaxSuperFrame;
  const auto offload = fits ? read_virtio_header(place.first(kVirtioHeader)) : std::nullopt;
  if (offload) {
    out.push_back({place.first(size).subspan(kVirtioHeader), *offload, buffer});
    return;
  }
  buffers.give_back(buffer);
  counters.add(fits ? Counter::IoTapOffload : Counter::IoTruncated);
}

std::size_t TapPort::list_parts(const OutFrame& out, std::span<const ByteView> pieces,
                                std::span<iovec> parts) {
  std::uint8_t* const start = out.frame.data() - kVirtioHeader;
  write_virtio_header(out.offload, {start, kVirtioHeader});
  parts[0] = {start, kVirtioHeader + out.frame.size()};
  std::size_t count = 1;
  for (const ByteView piece : pieces.subspan(out.first, out.count))
    parts[count++] = {const_cast<std::uint8_t*>(piece.data()), piece.size()};
  return count;
}

void TapPort::count_failed(int error, Counters& counters) {
  const bool full = error == EAGAIN || error == ENOBUFS || error == ENOMEM;
  counters.add(full ? Counter::IoTapBlocked : Counter::IoTapFailed);
}

bool TapPort::write_frame(const OutFrame& out, std::span<const ByteView> pieces) {
  std::array<iovec, kMaxParts> parts;
  const std::size_t count = list_parts(out, pieces, parts);
  ssize_t n = 0;
  do {
    n = count == 1 ? ::write(queue_.raw(), parts[0].iov_base, parts[0].iov_len)
                   : ::writev(queue_.raw(), parts.data(), static_cast<int>(count));
  } while (n < 0 && errno == EINTR);
  return n >= 0;
}

void TapPort::send(std::span<const OutFrame> frames, std::span<const ByteView> pieces,
                   Counters& counters) {
  for (const OutFrame& out : frames)
    if (!write_frame(out, pieces)) count_failed(errno, counters);
}

}  // namespace wattle::cryptod
