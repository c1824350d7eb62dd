// Small frames that share a datagram.
#include <gtest/gtest.h>

#include "cryptod/core/packer.h"
#include "hand_member.h"

namespace wattle::cryptod::lab {
namespace {

using std::chrono::milliseconds;

struct Packs : ::testing::Test {
  Lab lab{1, 3};
  Node& a = lab.a();
  Node& b = lab.b();
  HandMember member{lab};
  Actions out;

  void SetUp() override {
    b.give_member(a);
    a.give_member(b);
    a.send(ip_frame(a, b, numbered(0)));
    lab.run(milliseconds(100));
    const Initiator initiator = member.initiator(a);
    lab.inject(a, member.endpoint, to_bytes(initiator.message1()));
    ASSERT_EQ(member.finish(initiator, lab.seen.back().bytes), WireCheck::Accept);
    lab.inject(a, member.endpoint, member.seal(InnerType::Empty, Bytes{kTakesPacks}));
    a.frames.clear();
  }
  Bytes to_member(const Bytes& payload) const {
    Bytes frame = ip_frame(a, b, payload);
    std::copy_n(member.credential.mac.bytes.begin(), 6, frame.begin());
    return frame;
  }
  // What leaves a for these frames, read together from its TAP.
  std::vector<Bytes> sent(std::vector<Bytes> frames) {
    std::vector<TapFrame> batch;
    for (Bytes& frame : frames) batch.push_back({frame, {}});
    out.clear();
    a.engine->frames(lab.moment, batch, out);
    std::vector<Bytes> datagrams;
    for (const OutDatagram& d : out.datagrams) datagrams.push_back(to_bytes(d.bytes));
    return datagrams;
  }
  // Frames from the member, as it would pack them.
  Bytes from_member(std::uint32_t number, std::size_t size = 60) const {
    Bytes frame = ip_frame(b, a, Bytes(size, static_cast<std::uint8_t>(number)));
    std::copy_n(member.credential.ipv4.address.bytes.begin(), 4, frame.begin() + 26);
    return Bytes(frame.begin() + 12, frame.end());
  }
  static Bytes packed(const std::vector<Bytes>& frames, bool unsummed = false) {
    Bytes body;
    for (const Bytes& frame : frames)
      Writer(body)
          .u16(static_cast<std::uint16_t>(frame.size() | (unsummed ? 0x8000 : 0)))
          .bytes(frame);
    return body;
  }
};

TEST_F(Packs, WhatWaitsTogetherLeavesTogetherAndArrivesInOrder) {
  const std::vector<Bytes> frames{ip_frame(a, b, numbered(1)), ip_frame(a, b, numbered(2)),
                                  ip_frame(a, b, numbered(3))};
  auto datagrams = sent(frames);
  ASSERT_EQ(datagrams.size(), 1u);
  b.frames.clear();
  lab.inject(b, a.endpoint, datagrams[0]);
  EXPECT_EQ(b.frames, frames);
  EXPECT_EQ(a.counter(Counter::TxPacked), 3u);
  EXPECT_EQ(b.counter(Counter::RxPacked), 3u);
}

TEST_F(Packs, OneAloneIsAFrameLikeAnyOther) {
  const Bytes frame = to_member(numbered(1));
  for (Bytes d : sent({frame})) {
    const auto inner = member.open(d);
    EXPECT_EQ(inner.type, InnerType::Frame);
    EXPECT_EQ(inner.body, Bytes(frame.begin() + 12, frame.end()));
  }
}

TEST_F(Packs, LongFramesGoAloneAndOvertakeNobody) {
  const auto datagrams = sent({to_member(numbered(1)), to_member(numbered(2)),
                               to_member(Bytes(1300)), to_member(numbered(3))});
  ASSERT_EQ(datagrams.size(), 3u);
  EXPECT_EQ(member.open(datagrams[0]).type, InnerType::Pack);
  EXPECT_EQ(member.open(datagrams[1]).body.size(), 1322u);
  EXPECT_EQ(member.open(datagrams[2]).type, InnerType::Frame);
}

TEST_F(Packs, EachPeerHasItsOwn) {
  const auto datagrams = sent({to_member(numbered(1)), ip_frame(a, b, numbered(2)),
                               to_member(numbered(3)), ip_frame(a, b, numbered(4))});
  EXPECT_EQ(datagrams.size(), 2u);
}

TEST_F(Packs, ADatagramIsNeverLongerThanTheEthernetBelow) {
  const std::vector<Bytes> frames(100, to_member(numbered(1)));
  std::size_t count = 0;
  for (const Bytes& d : sent(frames)) {
    EXPECT_LE(d.size(), 1472u);
    const Bytes body = member.open(d).body;
    for (ByteView rest(body); !rest.empty(); ++count) ASSERT_TRUE(take_packed(rest));
  }
  EXPECT_EQ(count, 100u);
}

TEST_F(Packs, SmallestFramesAreCountedNotOnlyWeighed) {
  const std::vector<Bytes> frames(100, to_member({}));
  const auto datagrams = sent(frames);
  ASSERT_EQ(datagrams.size(), 2u);
  const Bytes body = member.open(datagrams[0]).body;
  std::size_t count = 0;
  for (ByteView rest(body); !rest.empty(); ++count) ASSERT_TRUE(take_packed(rest));
  EXPECT_LE(count, Packer::kMostFrames);
}

TEST_F(Packs, EveryFrameOfAPackIsJudged) {
  Bytes foreign = from_member(2);
  foreign[2 + 12] ^= 1;  // the source address
  lab.inject(a, member.endpoint,
             member.seal(InnerType::Pack, packed({from_member(1), foreign, from_member(3)})));
  ASSERT_EQ(a.frames.size(), 2u);
  EXPECT_EQ(a.frames[0].back(), 1);
  EXPECT_EQ(a.frames[1].back(), 3);
  EXPECT_EQ(a.engine->counters().of_rx(EtherDrop::SourceIp), 1u);
  for (const Bytes& frame : a.frames) {
    EXPECT_TRUE(equal(ByteView(frame).first(6), a.credential.mac.bytes));
    EXPECT_TRUE(equal(ByteView(frame).subspan(6, 6), member.credential.mac.bytes));
  }
}

TEST_F(Packs, MalformedOnesAreCounted) {
  const auto say = [&](const Bytes& body) {
    lab.inject(a, member.endpoint, member.seal(InnerType::Pack, body));
  };
  Bytes cut = packed({from_member(1), from_member(2)});
  cut.pop_back();
  say(cut);  // the first is whole
  say({0});
  say({0, 0});
  say({0, 1, 8});
  say({0x7f, 0xff, 8, 0});
  EXPECT_EQ(a.frames.size(), 1u);
  EXPECT_EQ(a.counter(Counter::DropInnerLength), 5u);
  say(packed(std::vector<Bytes>(Packer::kMostFrames + 9, from_member(4))));
  EXPECT_EQ(a.frames.size(), 1u + Packer::kMostFrames);
  EXPECT_EQ(a.counter(Counter::DropInnerLength), 6u);
  say(packed({from_member(1)}, true));  // unsummed, and no segment
  EXPECT_EQ(a.counter(Counter::DropInnerSegment), 1u);
}

}  // namespace
}  // namespace wattle::cryptod::lab
