#include "common/base/mutant.h"
#include "common/base/writer.h"
#include "common/net/checksum.h"
#include "common/net/segment.h"

namespace wattle {

namespace {

std::uint16_t read_u16(ByteView bytes, std::size_t at) {
  return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

void write_u16(MutableBytes bytes, std::size_t at, std::uint16_t value) {
  FixedWriter(bytes.subspan(at, 2)).u16(value);
}

ChecksumSum pseudo_header_of(ByteView frame, const SegmentView& view) {
  const ByteView addresses =
      view.v4 ? frame.subspan(kEtherHeader + 12, 8) : frame.subspan(kEtherHeader + 8, 32);
  const std::size_t half = addresses.size() / 2;
  return pseudo_header(addresses.first(half), addresses.subspan(half),
                       view.tcp ? kProtocolTcp : kProtocolUdp, view.size - view.transport);
}

void sum_ipv4_header(MutableBytes frame, const SegmentView& view) {
  if (!view.v4) return;
  write_u16(frame, kEtherHeader + 10, 0);
  const ByteView header = frame.subspan(kEtherHeader, view.transport - kEtherHeader);
  write_u16(frame, kEtherHeader + 10, ChecksumSum().add(header).checksum());
}

}  // namespace

std::optional<SegmentView> view_segment(ByteView frame) {
  if (frame.size() < kEtherHeader) return std::nullopt;
  const std::uint16_t type = read_u16(frame, 12);
  SegmentView view;
  view.v4 = type == kEtherIpv4;
  if (!view.v4 && type != kEtherIpv6) return std::nullopt;
  const ByteView packet = frame.subspan(kEtherHeader);
  const auto ip = view.v4 ? view_ipv4(packet) : view_ipv6(packet);
  if (!ip || WATTLE_CHECKED(segment_fragment, ip->fragment)) return std::nullopt;
  const ByteView body = ip->body;
  const auto begin = static_cast<std::size_t>(body.data() - frame.data());
  std::size_t header = 8;
  view.tcp = ip->protocol == kProtocolTcp;
  if (view.tcp) {
    if (WATTLE_CHECKED(segment_tcp_short, body.size() < 20)) return std::nullopt;
    header = std::size_t{body[12]} / 16 * 4;
    if (WATTLE_CHECKED(segment_tcp_header, header < 20)) return std::nullopt;
  } else if (ip->protocol != kProtocolUdp) {
    return std::nullopt;
  }
  if (WATTLE_CHECKED(segment_short, body.size() < header) ||
      WATTLE_CHECKED(segment_headers, begin + header > kMostHeaders))
    return std::nullopt;
  if (!view.tcp && WATTLE_CHECKED(segment_udp_length, read_u16(body, 4) != body.size()))
    return std::nullopt;
  view.transport = static_cast<std::uint16_t>(begin);
  view.payload = static_cast<std::uint16_t>(begin + header);
  view.size = static_cast<std::uint32_t>(begin + body.size());
  return view;
}

void prepare_checksums(MutableBytes frame, const SegmentView& view) {
  sum_ipv4_header(frame, view);
  write_u16(frame, view.transport + view.checksum_offset(), pseudo_header_of(frame, view).folded());
}

void complete_checksums(MutableBytes frame, const SegmentView& view) {
  sum_ipv4_header(frame, view);
  const std::size_t at = view.transport + view.checksum_offset();
  write_u16(frame, at, 0);
  const std::uint16_t sum = pseudo_header_of(frame, view)
                                .add(frame.subspan(view.transport, view.size - view.transport))
                                .checksum();
  write_u16(frame, at, !view.tcp && sum == 0 ? std::uint16_t{0xffff} : sum);
}

}  // namespace wattle
