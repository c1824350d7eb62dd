#include "cryptod/core/offload.h"

#include "common/base/check.h"
#include "common/base/writer.h"
#include "common/net/checksum.h"

namespace wattle::cryptod {

namespace {

constexpr std::uint8_t kNeedsChecksum = 1;
constexpr std::uint8_t kNone = 0, kTcp4 = 1, kTcp6 = 4, kUdp = 5, kEcn = 0x80;

std::uint16_t native_u16(ByteView bytes, std::size_t at) {
  std::uint16_t value = 0;
  std::memcpy(&value, bytes.data() + at, 2);
  return value;
}

}  // namespace

std::optional<Offload> read_virtio_header(ByteView header) {
  WATTLE_CHECK(header.size() >= kVirtioHeader);
  Offload out;
  out.unsummed = (header[0] & kNeedsChecksum) != 0;
  out.cwr = (header[1] & kEcn) != 0;
  out.headers = native_u16(header, 2);
  out.segment = native_u16(header, 4);
  out.sum_start = native_u16(header, 6);
  out.sum_offset = native_u16(header, 8);
  switch (header[1] & ~kEcn) {
    case kNone:
      return out;
    case kTcp4:
      out.row = Offload::Row::Tcp4;
      break;
    case kTcp6:
      out.row = Offload::Row::Tcp6;
      break;
    case kUdp:
      out.row = Offload::Row::Udp;
      break;
    default:
      return std::nullopt;
  }
  if (out.segment == 0 || !out.unsummed) return std::nullopt;
  return out;
}

void write_virtio_header(const Offload& offload, MutableBytes header) {
  constexpr std::uint8_t kRows[] = {kNone, kTcp4, kTcp6, kUdp};
  header[0] = offload.unsummed ? kNeedsChecksum : 0;
  header[1] = kRows[static_cast<std::size_t>(offload.row)];
  if (offload.cwr && offload.row != Offload::Row::None) header[1] |= kEcn;
  const std::uint16_t rest[] = {offload.headers, offload.segment, offload.sum_start,
                                offload.sum_offset};
  std::memcpy(header.data() + 2, rest, sizeof rest);
}

std::optional<SegmentView> view_offloaded(const TapFrame& frame) {
  const Offload& said = frame.offload;
  const auto view = view_segment(frame.bytes);
  if (!view || !said.unsummed || said.sum_start != view->transport ||
      said.sum_offset != view->checksum_offset())
    return std::nullopt;
  using Row = Offload::Row;
  const Row row = view->tcp ? (view->v4 ? Row::Tcp4 : Row::Tcp6) : Row::Udp;
  if (said.row != Row::None && said.row != row) return std::nullopt;
  return view;
}

bool complete_sum(const TapFrame& frame) {
  const std::size_t at = std::size_t{frame.offload.sum_start} + frame.offload.sum_offset;
  if (at + 2 > frame.bytes.size()) return false;
  // The kernel has put the pseudo-header's sum there.
  const std::uint16_t sum =
      ChecksumSum().add(frame.bytes.subspan(frame.offload.sum_start)).checksum();
  FixedWriter(frame.bytes.subspan(at, 2)).u16(sum == 0 ? std::uint16_t{0xffff} : sum);
  return true;
}

Offload offload_of(const SegmentView& view, std::size_t segments, std::size_t segment, bool cwr) {
  using Row = Offload::Row;
  Offload out;
  out.unsummed = true;
  out.sum_start = view.transport;
  out.sum_offset = view.checksum_offset();
  if (segments < 2) return out;
  out.row = view.tcp ? (view.v4 ? Row::Tcp4 : Row::Tcp6) : Row::Udp;
  out.cwr = view.tcp && cwr;
  out.headers = view.payload;
  out.segment = static_cast<std::uint16_t>(segment);
  return out;
}

}  // namespace wattle::cryptod
