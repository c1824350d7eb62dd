// Frames that are longer than the way's datagrams.
#include <gtest/gtest.h>

#include "hand_member.h"

namespace wattle::cryptod::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;

struct Fragmented : ::testing::Test {
  Lab lab{1, 3};
  Node& a = lab.a();
  Node& b = lab.b();

  void SetUp() override {
    b.give_member(a);
    a.give_member(b);
    a.send(ip_frame(a, b, numbered(0)));
    lab.run(milliseconds(100));
    a.send(ip_frame(a, b, Bytes(1600)));  // asks what b takes
    lab.run(milliseconds(100));
    b.frames.clear();
    lab.seen.clear();
  }
  std::size_t longest() const {
    std::size_t most = 0;
    for (const Packet& p : lab.seen) most = std::max(most, p.bytes.size());
    return most;
  }
};

TEST_F(Fragmented, ALongFrameArrivesAsItWas) {
  for (const std::size_t size : {1381u, 1382u, 1500u, 4000u, 8980u}) {
    const Bytes frame = ip_frame(a, b, Bytes(size, static_cast<std::uint8_t>(size)));
    a.send(frame);
    lab.run(milliseconds(50));
    ASSERT_EQ(b.frames.size(), 1u) << size;
    EXPECT_EQ(b.frames[0], frame);
    b.frames.clear();
  }
  EXPECT_LE(longest(), 1472u);
  EXPECT_GT(a.counter(Counter::TxFragments), 10u);
  EXPECT_EQ(b.counter(Counter::RxReassembled), 5u - 1u);  // the first of them fits, SetUp's is long
}

TEST_F(Fragmented, AFrameToAllArrivesAsItWas) {
  Bytes frame = ip_frame(a, b, Bytes(1450, 5));
  for (std::size_t i = 0; i < 6; ++i) frame[i] = 0xff;
  a.send(frame);
  lab.run(milliseconds(50));
  ASSERT_EQ(b.frames.size(), 1u);
  EXPECT_EQ(b.frames[0], frame);
  EXPECT_LE(longest(), 1472u);
}

// A datagram of UDP that the kernel left unsummed is one, too.
TEST_F(Fragmented, AnUnsummedOneArrivesAsItWas) {
  Bytes udp;
  Writer(udp).u16(4000).u16(53).u16(1480).u16(0).bytes(Bytes(1472, 7));
  Bytes frame = ip_frame(a, b, udp);
  frame[23] = kProtocolUdp;
  const auto view = view_segment(frame);
  ASSERT_TRUE(view);
  Bytes prepared = frame;
  prepare_checksums(prepared, *view);
  const TapFrame from_kernel{prepared, offload_of(*view, 1, 0, false)};
  Actions out;
  a.engine->frames(lab.moment, {&from_kernel, 1}, out);
  ASSERT_EQ(out.datagrams.size(), 2u);
  for (const OutDatagram& d : out.datagrams) lab.inject(b, a.endpoint, to_bytes(d.bytes));
  ASSERT_EQ(b.frames.size(), 1u);
  const Bytes whole = b.frames[0];
  EXPECT_EQ(Bytes(whole.begin() + 42, whole.end()), Bytes(frame.begin() + 42, frame.end()));
}

// Less goes over the way from now on, and after a while all again.
TEST_F(Fragmented, TheKernelSaysThatALinkCarriesLess) {
  const Bytes frame = ip_frame(a, b, Bytes(1300, 1));
  const auto longest_of_frame = [&] {
    lab.seen.clear();
    b.frames.clear();
    a.send(frame);
    lab.run(milliseconds(50));
    EXPECT_EQ(b.frames.size(), 1u);
    if (!b.frames.empty()) {
      EXPECT_EQ(b.frames[0], frame);
    }
    return longest();
  };
  EXPECT_GT(longest_of_frame(), 1300u);
  a.engine->too_big(lab.moment, b.endpoint, 1371);  // 1399 with its headers
  EXPECT_LE(longest_of_frame(), 1280u - 28u);
  EXPECT_EQ(a.counter(Counter::PathsSmaller), 1u);
  a.engine->too_big(lab.moment, b.endpoint, 1371);  // sent before
  EXPECT_EQ(a.counter(Counter::PathsSmaller), 1u);
  a.engine->too_big(lab.moment, b.endpoint, 700);
  EXPECT_LE(longest_of_frame(), 576u - 28u);
  a.engine->too_big(lab.moment, {b.endpoint.address, 1}, 500);  // no way that is in use
  EXPECT_EQ(a.counter(Counter::PathsSmaller), 2u);
  lab.run(minutes(11));
  a.send(frame);
  lab.run(milliseconds(200));
  EXPECT_GT(longest_of_frame(), 1300u);
}

TEST_F(Fragmented, ASideThatDoesNotTakeThemGetsTheWhole) {
  HandMember member(lab);
  const Initiator initiator = member.initiator(a);
  lab.inject(a, member.endpoint, to_bytes(initiator.message1()));
  ASSERT_EQ(member.finish(initiator, lab.seen.back().bytes), WireCheck::Accept);
  lab.inject(a, member.endpoint, member.seal(InnerType::Empty, Bytes{kTakesPacks}));
  Bytes frame = ip_frame(a, b, Bytes(1500));
  std::copy_n(member.credential.mac.bytes.begin(), 6, frame.begin());
  lab.seen.clear();
  a.send(frame);
  ASSERT_FALSE(lab.seen.empty());
  EXPECT_EQ(member.open(lab.seen.back().bytes).body, Bytes(frame.begin() + 12, frame.end()));
}

// What comes in parts is judged as what comes whole.
TEST_F(Fragmented, TheWholeIsJudged) {
  HandMember member(lab);
  const Initiator initiator = member.initiator(a);
  lab.inject(a, member.endpoint, to_bytes(initiator.message1()));
  ASSERT_EQ(member.finish(initiator, lab.seen.back().bytes), WireCheck::Accept);
  Bytes frame = ip_frame(b, a, Bytes(1000, 3));
  std::copy_n(member.credential.ipv4.address.bytes.begin(), 4, frame.begin() + 26);
  const auto say = [&](Bytes whole) {
    whole.erase(whole.begin(), whole.begin() + 12);
    for (std::uint8_t i = 0; i < 2; ++i) {
      Bytes body{1, static_cast<std::uint8_t>(i << 4 | 1)};
      const auto from = whole.begin() + i * 511;
      body.insert(body.end(), from, i == 0 ? from + 511 : whole.end());
      lab.inject(a, member.endpoint, member.seal(InnerType::Fragment, body));
    }
  };
  a.frames.clear();
  say(frame);
  ASSERT_EQ(a.frames.size(), 1u);
  EXPECT_TRUE(equal(ByteView(a.frames[0]).first(6), a.credential.mac.bytes));
  EXPECT_EQ(Bytes(a.frames[0].begin() + 12, a.frames[0].end()),
            Bytes(frame.begin() + 12, frame.end()));
  frame[26] ^= 1;
  say(frame);
  EXPECT_EQ(a.frames.size(), 1u);
  EXPECT_EQ(a.engine->counters().of_rx(EtherDrop::SourceIp), 1u);
  lab.inject(a, member.endpoint, member.seal(InnerType::Fragment, Bytes{10, 0x01, 1, 2, 3}));
  EXPECT_EQ(a.counter(Counter::DropInnerLength), 1u);
}

}  // namespace
}  // namespace wattle::cryptod::lab
