#include "common/net/segment.h"

#include <gtest/gtest.h>

#include <random>

#include "common/net/checksum.h"
#include "tests/support/ether_frames.h"

namespace wattle {
namespace {

using namespace tests;  // NOLINT

struct Shape {
  bool v4 = true, tcp = true;
  std::size_t size = 1000;  // of the payload
  std::uint8_t flags = 0x10;
  std::size_t options = 12;  // of TCP
};

Bytes payload_of(std::size_t size) {
  Bytes out(size);
  std::mt19937 random(1);
  for (auto& byte : out) byte = static_cast<std::uint8_t>(random());
  return out;
}

Bytes frame_of(const Shape& shape) {
  Bytes body;
  if (shape.tcp) {
    Writer(body).u16(4000).u16(80).u32(0xfffff000).u32(7);
    Writer(body).u8(static_cast<std::uint8_t>((20 + shape.options) / 4 * 16)).u8(shape.flags);
    Writer(body).u16(500).u16(0).u16(0).bytes(Bytes(shape.options, 1));
  } else {
    Writer(body).u16(4000).u16(53).u16(static_cast<std::uint16_t>(8 + shape.size)).u16(0);
  }
  body = body + payload_of(shape.size);
  const std::uint8_t protocol = shape.tcp ? kProtocolTcp : kProtocolUdp;
  return shape.v4 ? ether(mac(1), mac(2), kEtherIpv4, ipv4("10.1.0.2", "10.1.0.1", protocol, body))
                  : ether(mac(1), mac(2), kEtherIpv6,
                          ipv6("fd00:1:0:2::1", "fd00:1:0:1::1", protocol, body));
}

SegmentView view_of(const Bytes& frame) {
  const auto view = view_segment(frame);
  EXPECT_TRUE(view);
  return view.value_or(SegmentView{});
}

std::vector<Bytes> cut(const Bytes& frame, std::size_t piece) {
  const Segmenter segments(frame, view_of(frame), piece);
  std::vector<Bytes> out;
  for (std::size_t i = 0; i < segments.count(); ++i) {
    out.emplace_back(segments.view(i).size);
    segments.write(i, 0, out.back());
  }
  return out;
}

// Joins as far as it goes; what the kernel would be given, without the checksum fields.
struct Whole {
  Bytes frame;
  std::size_t count = 0, piece = 0;
};
Whole join(std::vector<Bytes> segments) {
  Joiner joiner;
  joiner.begin(segments[0], view_of(segments[0]));
  Bytes rest;
  for (std::size_t i = 1; i < segments.size(); ++i) {
    const SegmentView view = view_of(segments[i]);
    if (!joiner.append(segments[i], view)) break;
    rest.insert(rest.end(), segments[i].begin() + view.payload, segments[i].end());
  }
  Whole out{{}, joiner.count(), joiner.segment_size()};
  out.frame = to_bytes(joiner.finish()) + rest;
  return out;
}

// Sum of the whole TCP or UDP with its pseudo-header, byte by byte: 0xffff if it is right.
std::uint32_t naive_sum(const Bytes& frame) {
  const SegmentView view = view_of(frame);
  std::uint32_t sum = (view.tcp ? 6u : 17u) + view.size - view.transport;
  const auto add = [&](std::size_t from, std::size_t to) {
    for (std::size_t i = from; i < to; ++i) sum += (i - from) % 2 == 0 ? frame[i] << 8u : frame[i];
  };
  view.v4 ? add(26, 34) : add(22, 54);
  add(view.transport, view.size);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

TEST(Segment, CompletedChecksumsAreRight) {
  for (const bool v4 : {true, false})
    for (const bool tcp : {true, false})
      for (const std::size_t size : {0u, 1u, 7u, 8u, 999u, 1400u, 60000u}) {
        Bytes frame = frame_of({v4, tcp, size});
        complete_checksums(frame, view_of(frame));
        EXPECT_EQ(naive_sum(frame), 0xffffu) << v4 << tcp << size;
        if (!v4) continue;
        EXPECT_EQ(ChecksumSum().add(ByteView(frame).subspan(14, 20)).folded(), 0xffff);
      }
}

TEST(Segment, PreparedChecksumsAreCompletedByAddingTheRest) {
  Bytes frame = frame_of({});
  const SegmentView view = view_of(frame);
  prepare_checksums(frame, view);
  // As a network card does it: the sum of all from the TCP header on, into its field.
  const auto sum = ChecksumSum().add(ByteView(frame).subspan(view.transport)).checksum();
  FixedWriter(MutableBytes(frame).subspan(view.transport + 16u, 2)).u16(sum);
  EXPECT_EQ(naive_sum(frame), 0xffffu);
}

TEST(Segment, AZeroUdpChecksumIsWrittenAsAllOnes) {
  Bytes frame = frame_of({.tcp = false, .size = 2});
  const SegmentView view = view_of(frame);
  frame[view.payload] = frame[view.payload + 1u] = 0;
  complete_checksums(frame, view);
  const auto sum =
      static_cast<std::uint16_t>(frame[view.transport + 6u] << 8 | frame[view.transport + 7u]);
  FixedWriter(MutableBytes(frame).subspan(view.payload, 2)).u16(sum);  // makes it add up to zero
  complete_checksums(frame, view);
  EXPECT_EQ(frame[view.transport + 6u], 0xff);
  EXPECT_EQ(frame[view.transport + 7u], 0xff);
}

TEST(Segment, SegmentsAreWhatTheKernelWouldWrite) {
  const Bytes whole = frame_of({.size = 3000, .flags = 0x10 | 0x08 | 0x01 | 0x80});
  const auto all = cut(whole, 1348);
  ASSERT_EQ(all.size(), 3u);
  const std::uint8_t flags[] = {0x90, 0x10, 0x19};
  const std::size_t sizes[] = {1348, 1348, 304};
  for (std::size_t i = 0; i < 3; ++i) {
    const SegmentView view = view_of(all[i]);
    EXPECT_EQ(view.payload_size(), sizes[i]);
    EXPECT_EQ(all[i][47], flags[i]);
    EXPECT_EQ(all[i][19], 7 + i);  // identification
    std::uint32_t sequence = 0;
    for (std::size_t b = 38; b < 42; ++b) sequence = sequence << 8 | all[i][b];
    EXPECT_EQ(sequence, static_cast<std::uint32_t>(0xfffff000 + i * 1348));
    EXPECT_TRUE(equal(ByteView(all[i]).subspan(view.payload),
                      ByteView(whole).subspan(66 + i * 1348, sizes[i])));
  }
}

TEST(Segment, WhatWasCutIsJoinedToTheSameFrame) {
  for (const bool v4 : {true, false})
    for (const bool tcp : {true, false})
      for (const std::size_t piece : {1u, 500u, 1348u})
        for (const std::size_t size : {1u, 60u, 3000u, 1348u * 2}) {
          if (size / piece > 62) continue;
          Bytes whole = frame_of({v4, tcp, size, 0x90 | 0x09});
          const auto all = cut(whole, piece);
          const Whole joined = join(all);
          EXPECT_EQ(joined.count, all.size());
          EXPECT_EQ(joined.piece, std::min(piece, size));
          prepare_checksums(whole, view_of(whole));
          EXPECT_EQ(joined.frame, whole) << v4 << tcp << piece << " " << size;
        }
}

TEST(Segment, AfterAHoleBeginsAnotherOne) {
  const auto all = cut(frame_of({.size = 5000}), 1000);
  EXPECT_EQ(join({all[0], all[1], all[3], all[4]}).count, 2u);
  EXPECT_EQ(join({all[0], all[0]}).count, 1u);
  EXPECT_EQ(join({all[1], all[0]}).count, 1u);
  EXPECT_EQ(join({all[1], all[2], all[3]}).count, 3u);
}

TEST(Segment, NothingOfAnotherFlowOrStateIsJoined) {
  for (const bool v4 : {true, false})
    for (const bool tcp : {true, false}) {
      const auto all = cut(frame_of({v4, tcp, 2000}), 1000);
      const SegmentView view = view_of(all[1]);
      std::size_t joined = 0;
      for (std::size_t bit = 0; bit < view.payload * 8u; ++bit) {
        std::vector<Bytes> changed = all;
        changed[1][bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
        const auto other = view_segment(changed[1]);
        if (!other || other->size != view.size) continue;  // refused before
        if (join(changed).count == 1) continue;
        ++joined;
        const std::size_t at = bit / 8;
        const bool free = (v4 && (at == 18 || at == 19 || at == 24 || at == 25)) ||
                          at == view.transport + std::size_t{view.checksum_offset()} ||
                          at == view.transport + view.checksum_offset() + 1u ||
                          (tcp && at == view.transport + 13u);  // PSH, FIN
        EXPECT_TRUE(free) << "byte " << at;
      }
      EXPECT_EQ(joined, (v4 ? 32u : 0u) + 16u + (tcp ? 2u : 0u));
    }
}

TEST(Segment, ALongerOneBeginsAnother) {
  const Bytes whole = frame_of({.size = 3000});
  const auto shorter = cut(whole, 1000), longer = cut(whole, 1500);
  Bytes second = longer[1];  // as if it followed a segment of 1000 bytes
  std::copy_n(shorter[1].begin() + 38, 4, second.begin() + 38);
  EXPECT_EQ(join({shorter[0], second}).count, 1u);
}

TEST(Segment, FlagsEndASuperFrame) {
  for (const int flags : {0x11, 0x18, 0x12, 0x14, 0x30, 0x00}) {
    auto all = cut(frame_of({.size = 2000}), 1000);
    for (Bytes& frame : all) frame[47] = static_cast<std::uint8_t>(flags);
    EXPECT_EQ(join(all).count, 1u) << flags;
  }
  auto all = cut(frame_of({.size = 3000}), 1000);
  all[1][47] |= 0x08;
  EXPECT_EQ(join(all).count, 2u);
  all = cut(frame_of({.size = 3000}), 1000);
  all[1][47] |= 0x80;
  EXPECT_EQ(join(all).count, 1u);
}

TEST(Segment, ASuperFrameHasItsBounds) {
  EXPECT_EQ(join(cut(frame_of({.size = 100}), 1)).count, Joiner::kMaxSegments);
  std::vector<Bytes> many;
  const auto parts = cut(frame_of({.tcp = false, .size = 9000}), 9000);
  for (int i = 0; i < 20; ++i) many.push_back(parts[0]);
  EXPECT_EQ(join(many).count, 7u);  // 65535 bytes of IP
}

TEST(Segment, ViewsNothingThatIsNotOneWholeSegment) {
  const auto refused = [](Bytes frame) { return !view_segment(frame).has_value(); };
  const Bytes good = frame_of({});
  ASSERT_FALSE(refused(good));
  Bytes padded = good;
  padded.resize(good.size() + 5);
  EXPECT_EQ(view_of(padded).size, good.size());
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_TRUE(refused(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size))));
  Bytes bad = good;
  bad[46] = 0x40;  // data offset of 16 bytes
  EXPECT_TRUE(refused(bad));
  bad = frame_of({.size = 10});
  bad[46] = 0xf0;  // longer than the segment
  EXPECT_TRUE(refused(bad));
  bad = good;
  bad[20] = 0x20;  // more fragments
  EXPECT_TRUE(refused(bad));
  bad = frame_of({.tcp = false});
  bad[39] ^= 1;  // UDP's length
  EXPECT_TRUE(refused(bad));
  EXPECT_TRUE(refused(ether(mac(1), mac(2), kEtherIpv4, ipv4("10.1.0.2", "10.1.0.1", 1, icmp(8)))));
  EXPECT_TRUE(refused(ether(mac(1), mac(2), kEtherArp, arp(1, mac(2), "10.1.0.2", "10.1.0.1"))));
  Bytes chain = udp(1, 2);
  for (int i = 0; i < 6; ++i) chain = extension(i == 0 ? kProtocolUdp : 60, chain);
  EXPECT_FALSE(refused(ether(mac(1), mac(2), kEtherIpv6, ipv6("fd00::2", "fd00::1", 60, chain))));
  Bytes longer = Bytes{kProtocolUdp, 31, 1, 4} + Bytes(252, 0) + udp(1, 2);
  EXPECT_TRUE(refused(ether(mac(1), mac(2), kEtherIpv6, ipv6("fd00::2", "fd00::1", 60, longer))));
}

}  // namespace
}  // namespace wattle
