// What the kernel leaves to a network card, and what it takes over from one: the virtio-net header
// in front of each frame of the TAP (virtio 1.2, 5.1.6; native byte order there).
#pragma once

#include <optional>

#include "common/net/segment.h"

namespace wattle::cryptod {

inline constexpr std::size_t kVirtioHeader = 10;
// A super-frame: an Ethernet header and what IP's length can say.
inline constexpr std::size_t kMaxSuperFrame = kEtherHeader + 65535;

struct Offload {
  enum class Row : std::uint8_t { None, Tcp4, Tcp6, Udp };
  // A checksum is missing: of all from sum_start on, to be written at sum_start + sum_offset.
  bool unsummed = false;
  bool cwr = false;           // Tcp4, Tcp6: the first segment says CWR
  Row row = Row::None;        // of which segments it is a row
  std::uint16_t segment = 0;  // payload of each of them but the last
  std::uint16_t headers = 0;  // bytes in front of the payload
  std::uint16_t sum_start = 0, sum_offset = 0;

  bool is_plain() const { return !unsummed && row == Row::None; }
};

// nullopt: a kind of row that we do not know, or a row without segment size.
std::optional<Offload> read_virtio_header(ByteView header);
void write_virtio_header(const Offload& offload, MutableBytes header);

// Which of them are used: of the TAP checksums, rows of TCP segments (TSO) and of UDP datagrams
// (USO), of the UDP sockets rows sent (UDP_SEGMENT) and received (UDP_GRO) with one call.
struct Offloads {
  bool csum = true, tso = true, uso = true, gso = true, gro = true;
};

// A frame out of the TAP. Its bytes may be changed.
struct TapFrame {
  MutableBytes bytes;
  Offload offload;
  std::uint16_t buffer = 0;  // in which it lies (io/frame_buffers.h)
  // Its destination's queue has been too long for too long: it, or one segment of its row, is left
  // out, so that its sender slows down.
  bool early_drop = false;
};

// Of a frame that is not plain: where its parts stand, if the kernel's words fit its headers.
std::optional<SegmentView> view_offloaded(const TapFrame& frame);
// Makes the checksum that is missing, whatever protocol it is of. False: not inside the frame.
bool complete_sum(const TapFrame& frame);

// For the TAP: `view` is of the whole, whose checksums are prepared.
Offload offload_of(const SegmentView& view, std::size_t segments, std::size_t segment, bool cwr);

}  // namespace wattle::cryptod
