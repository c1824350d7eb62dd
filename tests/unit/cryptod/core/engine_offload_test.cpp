// Super-frames between two engines, and what becomes of them where the other side does not take
// them.
#include <gtest/gtest.h>

#include "hand_member.h"

namespace wattle::cryptod::lab {
namespace {

using std::chrono::milliseconds;

// Of a kernel that leaves the cutting to us: everything but the checksum of TCP or UDP.
Bytes big_frame(const Node& from, const Node& to, std::size_t size, bool tcp = true) {
  Bytes body;
  if (tcp) {
    Writer(body).u16(4000).u16(80).u32(1000).u32(7).u8(0x80).u8(0x18).u16(500).u16(0).u16(0);
    Writer(body).zeros(12);
  } else {
    Writer(body).u16(4000).u16(53).u16(static_cast<std::uint16_t>(8 + size)).u16(0);
  }
  for (std::size_t i = 0; i < size; ++i) body.push_back(static_cast<std::uint8_t>(i * 7 + i / 256));
  Bytes frame = ip_frame(from, to, body);
  frame[23] = tcp ? kProtocolTcp : kProtocolUdp;
  return frame;
}

struct Offloaded : ::testing::Test {
  Lab lab{1, 3};
  Node& a = lab.a();
  Node& b = lab.b();
  Actions out;

  void SetUp() override {
    b.give_member(a);
    a.give_member(b);
    a.send(ip_frame(a, b, numbered(0)));
    lab.run(milliseconds(100));
    ASSERT_EQ(b.frames.size(), 1u);
  }
  TapFrame row(Bytes& frame, std::size_t segment) {
    const auto view = view_segment(frame);
    EXPECT_TRUE(view);
    prepare_checksums(frame, *view);
    return {frame, offload_of(*view, segment == 0 ? 1 : 2, segment, false)};
  }
  // What leaves a for this frame.
  std::vector<Bytes> sent(const TapFrame& frame) {
    out.clear();
    a.engine->frames(lab.moment, {&frame, 1}, out);
    std::vector<Bytes> datagrams;
    for (const OutDatagram& d : out.datagrams) datagrams.push_back(to_bytes(d.bytes));
    return datagrams;
  }
  struct Delivered {
    Bytes frame;
    Offload offload;
  };
  // What these bring to b's TAP if they come together.
  std::vector<Delivered> received(std::vector<Bytes> datagrams) {
    std::vector<Received> batch;
    for (Bytes& d : datagrams) batch.push_back({a.endpoint, b.endpoint.address, 2, d});
    out.clear();
    b.engine->datagrams(lab.moment, batch, out);
    std::vector<Delivered> frames;
    for (const OutFrame& f : out.frames) {
      frames.push_back({to_bytes(f.frame), f.offload});
      for (std::size_t i = 0; i < f.count; ++i) {
        const ByteView piece = out.pieces[f.first + i];
        frames.back().frame.insert(frames.back().frame.end(), piece.begin(), piece.end());
      }
    }
    return frames;
  }
};

TEST_F(Offloaded, ASuperFrameArrivesAsItWas) {
  for (const bool tcp : {true, false}) {
    Bytes frame = big_frame(a, b, 60'000, tcp);
    const TapFrame row_of_it = row(frame, 1300);
    const auto datagrams = sent(row_of_it);
    EXPECT_EQ(datagrams.size(), 47u);
    const auto frames = received(datagrams);
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(frames[0].frame, frame);
    EXPECT_EQ(frames[0].offload.row, tcp ? Offload::Row::Tcp4 : Offload::Row::Udp);
    EXPECT_EQ(frames[0].offload.segment, 1300);
    EXPECT_EQ(frames[0].offload.sum_start, row_of_it.offload.sum_start);
    EXPECT_EQ(frames[0].offload.sum_offset, row_of_it.offload.sum_offset);
  }
  EXPECT_EQ(a.counter(Counter::TxSegments), 94u);
  EXPECT_EQ(b.counter(Counter::RxJoined), 94u);
}

TEST_F(Offloaded, DatagramsNeverGrowBeyondTheEthernetBelow) {
  Bytes frame = big_frame(a, b, 60'000);
  for (const std::size_t segment : {1448u, 8948u}) {  // of a device with a larger MTU
    for (const Bytes& d : sent(row(frame, segment))) EXPECT_LE(d.size(), 1472u);
    EXPECT_EQ(sent(row(frame, segment))[0].size(), 1472u);
  }
  Bytes alone = big_frame(a, b, 1448);
  const auto datagrams = sent(row(alone, 0));
  EXPECT_EQ(datagrams.size(), 2u);
  const auto frames = received(datagrams);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].frame, alone);
}

TEST_F(Offloaded, ALostDatagramCostsItsOwnSegmentOnly) {
  Bytes frame = big_frame(a, b, 10'000);
  auto datagrams = sent(row(frame, 1000));
  ASSERT_EQ(datagrams.size(), 10u);
  datagrams.erase(datagrams.begin() + 4);
  std::swap(datagrams[6], datagrams[7]);
  const auto frames = received(datagrams);
  std::vector<std::size_t> sizes;
  for (const Delivered& f : frames) sizes.push_back(f.frame.size() - 66);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{4000, 2000, 1000, 1000, 1000}));
}

// Of a row one segment is left out, so that its sender slows down.
TEST_F(Offloaded, AnEarlyDropCostsOneSegment) {
  Bytes frame = big_frame(a, b, 10'000);
  TapFrame early = row(frame, 1000);
  early.early_drop = true;
  EXPECT_EQ(sent(early).size(), 9u);
  Bytes plain = ip_frame(a, b, numbered(1));
  EXPECT_EQ(sent({plain, {}, 0, true}).size(), 0u);
  EXPECT_EQ(a.counter(Counter::DropEarly), 2u);
}

TEST_F(Offloaded, WhatDoesNotComeTogetherIsNotWaitedFor) {
  Bytes frame = big_frame(a, b, 3'000);
  const auto datagrams = sent(row(frame, 1000));
  for (const Bytes& d : datagrams) {
    const auto frames = received({d});
    ASSERT_EQ(frames.size(), 1u);
    EXPECT_EQ(frames[0].frame.size(), 1066u);
    EXPECT_TRUE(frames[0].offload.unsummed);
    EXPECT_EQ(frames[0].offload.row, Offload::Row::None);
  }
}

TEST_F(Offloaded, OtherFramesKeepTheirPlaceBetweenSegments) {
  Bytes frame = big_frame(a, b, 2'000);
  const auto datagrams = sent(row(frame, 1000));
  Bytes small = ip_frame(a, b, numbered(7));
  const TapFrame plain{small, {}};
  const auto one = sent(plain);
  const auto frames = received({datagrams[0], one[0], datagrams[1]});
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[1].frame, small);
}

TEST_F(Offloaded, ASideThatSaidNothingGetsWholeFrames) {
  HandMember member(lab);
  const Initiator initiator = member.initiator(a);
  lab.inject(a, member.endpoint, to_bytes(initiator.message1()));
  ASSERT_EQ(member.finish(initiator, lab.seen.back().bytes), WireCheck::Accept);
  lab.inject(a, member.endpoint, member.seal(InnerType::Empty, {}));
  Bytes frame = big_frame(a, b, 3'000);
  std::copy_n(member.credential.mac.bytes.begin(), 6, frame.begin());
  std::copy_n(member.credential.ipv4.address.bytes.begin(), 4, frame.begin() + 30);
  const auto datagrams = sent(row(frame, 1000));
  std::size_t frames = 0;
  for (Bytes d : datagrams) {
    const auto opened = member.open(d);
    if (opened.type == InnerType::Empty) continue;  // asks
    ++frames;
    EXPECT_EQ(opened.type, InnerType::Frame);
    Bytes whole(12);
    whole.insert(whole.end(), opened.body.begin(), opened.body.end());
    const auto view = view_segment(whole);
    ASSERT_TRUE(view);
    Bytes again = whole;
    complete_checksums(again, *view);
    EXPECT_EQ(again, whole);
  }
  EXPECT_EQ(frames, 3u);

  lab.inject(a, member.endpoint, member.seal(InnerType::Empty, Bytes{kTakesUnsummed}));
  for (Bytes d : sent(row(frame, 1000))) EXPECT_EQ(member.open(d).type, InnerType::Unsummed);
  lab.inject(a, member.endpoint, member.seal(InnerType::Empty, Bytes{kTellYours}));
  EXPECT_EQ(member.open(lab.seen.back().bytes).body,
            Bytes{kTakesUnsummed | kTakesPacks | kTakesFragments});
}

TEST_F(Offloaded, AKernelWithoutRowsOfUdpGetsItsDatagramsOneByOne) {
  DeviceState old;
  old.present = true;
  old.mac = b.credential.mac;
  old.takes_udp_rows = false;
  out.clear();
  b.engine->device(lab.moment, old, out);
  for (const bool tcp : {true, false}) {
    Bytes frame = big_frame(a, b, 3'000, tcp);
    EXPECT_EQ(received(sent(row(frame, 1000))).size(), tcp ? 1u : 3u);
  }
}

TEST_F(Offloaded, AnOddChecksumIsMadeHere) {
  // SCTP-like: another protocol with a checksum of that kind somewhere.
  Bytes frame = ip_frame(a, b, Bytes(100, 0x31));
  Offload offload{.unsummed = true, .sum_start = 40, .sum_offset = 2};
  const auto frames = received(sent({frame, offload}));
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_TRUE(frames[0].offload.is_plain());
  EXPECT_EQ(frames[0].frame, frame);
  EXPECT_NE(frame[42] << 8 | frame[43], 0x3131);
}

TEST_F(Offloaded, NothingGoesThatItsOwnHeadersDeny) {
  Bytes frame = big_frame(a, b, 3'000);
  TapFrame odd = row(frame, 1000);
  odd.offload.row = Offload::Row::Udp;
  EXPECT_TRUE(sent(odd).empty());
  odd = row(frame, 1000);
  odd.offload.sum_start = 40;
  EXPECT_TRUE(sent(odd).empty());
  Bytes small = ip_frame(a, b, numbered(1));
  EXPECT_TRUE(sent({small, {.unsummed = true, .sum_start = 60, .sum_offset = 60}}).empty());
  EXPECT_EQ(a.counter(Counter::DropOffload), 3u);
}

}  // namespace
}  // namespace wattle::cryptod::lab
