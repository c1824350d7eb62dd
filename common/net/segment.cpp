#include "common/net/segment.h"

#include <algorithm>

#include "common/base/check.h"
#include "common/base/mutant.h"
#include "common/base/writer.h"

namespace wattle {

namespace {

constexpr std::size_t kIpv4Length = kEtherHeader + 2, kIpv4Id = kEtherHeader + 4,
                      kIpv4Checksum = kEtherHeader + 10, kIpv6Length = kEtherHeader + 4;
constexpr std::size_t kTcpSequence = 4, kTcpFlags = 13, kTcpChecksum = 16, kTcpUrgent = 18;
constexpr std::size_t kUdpLength = 4;
constexpr std::uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPush = 0x08, kAck = 0x10,
                       kUrgent = 0x20, kCwr = 0x80;
constexpr std::size_t kMostIp = 65535;  // what a length field can say

std::uint32_t read_u32(ByteView bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
         std::uint32_t{bytes[at + 2]} << 8 | bytes[at + 3];
}

void put_u16(MutableBytes bytes, std::size_t at, std::size_t value) {
  FixedWriter(bytes.subspan(at, 2)).u16(static_cast<std::uint16_t>(value));
}

// The lengths of IP and UDP for a frame of view.size bytes.
void put_lengths(MutableBytes frame, const SegmentView& view) {
  if (view.v4)
    put_u16(frame, kIpv4Length, view.size - kEtherHeader);
  else
    put_u16(frame, kIpv6Length, view.size - kEtherHeader - 40);
  if (!view.tcp) put_u16(frame, view.transport + kUdpLength, view.size - view.transport);
}

}  // namespace

// ---- cutting ---------------------------------------------------------------------------------

SegmentView Segmenter::view(std::size_t i) const {
  SegmentView out = view_;
  const std::size_t rest = view_.payload_size() - std::min(view_.payload_size(), i * piece_);
  out.size = static_cast<std::uint32_t>(view_.payload + std::min(piece_, rest));
  return out;
}

void Segmenter::write(std::size_t i, std::size_t skip, MutableBytes out) const {
  const SegmentView own = view(i);
  const std::size_t headers = view_.payload;
  WATTLE_CHECK(out.size() == own.size - skip && headers <= kMostHeaders);
  ByteArray<kMostHeaders> space;
  const MutableBytes head = MutableBytes(space).first(headers);
  std::copy_n(frame_.begin(), headers, head.begin());
  put_lengths(head, own);
  if (own.v4) {
    put_u16(head, kIpv4Id, ((std::size_t{head[kIpv4Id]} << 8 | head[kIpv4Id + 1]) + i) & 0xffff);
    put_u16(head, kIpv4Checksum, 0);
  }
  if (own.tcp) {
    const std::size_t at = own.transport;
    const auto offset = static_cast<std::uint32_t>(i * piece_);
    FixedWriter(head.subspan(at + kTcpSequence, 4)).u32(read_u32(head, at + kTcpSequence) + offset);
    if (i != 0) head[at + kTcpFlags] &= static_cast<std::uint8_t>(~kCwr);
    if (i + 1 != count()) head[at + kTcpFlags] &= static_cast<std::uint8_t>(~(kFin | kPush));
  }
  put_u16(head, own.transport + own.checksum_offset(), 0);
  std::copy(head.begin() + static_cast<std::ptrdiff_t>(skip), head.end(), out.begin());
  const ByteView payload = frame_.subspan(headers + i * piece_, own.payload_size());
  std::copy(payload.begin(), payload.end(),
            out.begin() + static_cast<std::ptrdiff_t>(headers - skip));
}

// ---- joining ---------------------------------------------------------------------------------

void Joiner::begin(MutableBytes frame, const SegmentView& view) {
  head_ = frame.first(view.size);
  view_ = view;
  piece_ = view.payload_size();
  count_ = 1;
  full_ = piece_ == 0;
  if (!view.tcp) return;
  const std::uint8_t flags = frame[view.transport + kTcpFlags];
  next_sequence_ =
      read_u32(frame, view.transport + kTcpSequence) + static_cast<std::uint32_t>(piece_);
  last_flags_ = flags;
  full_ = full_ || (flags & (kFin | kSyn | kRst | kPush | kUrgent)) != 0 || (flags & kAck) == 0;
}

bool Joiner::append(ByteView frame, const SegmentView& view) {
  const std::size_t size = view.payload_size();
  if (count_ == 0 || WATTLE_CHECKED(row_full, full_) ||
      WATTLE_CHECKED(row_most, count_ == kMaxSegments) || size == 0 ||
      WATTLE_CHECKED(row_size, size > piece_) || view.v4 != view_.v4 || view.tcp != view_.tcp ||
      view.transport != view_.transport || view.payload != view_.payload ||
      WATTLE_CHECKED(row_length, view_.size + size > kMostIp))
    return false;
  const auto same = [&](std::size_t from, std::size_t to) {
    return equal(frame.subspan(from, to - from), ByteView(head_).subspan(from, to - from));
  };
  const std::size_t at = view.transport;
  // All of Ethernet and IP but lengths, identification and checksum.
  const bool ip = view.v4 ? same(0, kIpv4Length) && same(kIpv4Id + 2, kIpv4Checksum) &&
                                same(kIpv4Checksum + 2, at)
                          : same(0, kIpv6Length) && same(kIpv6Length + 2, at);
  if (!WATTLE_CHECKED(row_ip, ip)) return false;
  if (view.tcp) {
    constexpr std::uint8_t kAtTheEnd = kFin | kPush;
    const std::uint8_t flags = frame[at + kTcpFlags];
    const std::uint8_t first = head_[at + kTcpFlags];
    const bool flow = same(at, at + kTcpSequence) && same(at + kTcpSequence + 4, at + kTcpFlags) &&
                      same(at + kTcpFlags + 1, at + kTcpChecksum) &&
                      same(at + kTcpUrgent, view.payload);
    if (!WATTLE_CHECKED(row_sequence, read_u32(frame, at + kTcpSequence) == next_sequence_) ||
        !WATTLE_CHECKED(row_flags, (flags & ~kAtTheEnd) == (first & ~(kAtTheEnd | kCwr))) ||
        !WATTLE_CHECKED(row_flow, flow))
      return false;
    next_sequence_ += static_cast<std::uint32_t>(size);
    last_flags_ = flags;
    full_ = (flags & kAtTheEnd) != 0;
  } else if (!WATTLE_CHECKED(row_ports, same(at, at + kUdpLength))) {
    return false;
  }
  full_ = full_ || size < piece_;
  view_.size += static_cast<std::uint32_t>(size);
  ++count_;
  return true;
}

bool Joiner::has_cwr() const {
  return view_.tcp && (head_[view_.transport + kTcpFlags] & kCwr) != 0;
}

MutableBytes Joiner::finish() {
  if (count_ > 1) {
    put_lengths(head_, view_);
    if (view_.tcp)
      head_[view_.transport + kTcpFlags] |= static_cast<std::uint8_t>(last_flags_ & (kFin | kPush));
  }
  prepare_checksums(head_, view_);
  count_ = 0;
  return head_;
}

}  // namespace wattle
