// The main way through two and three engines: first contact, frames, rekey, restart.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "engine_lab.h"

namespace wattle::cryptod::lab {
namespace {

using meta_link::SessionState;
using std::chrono::milliseconds;
using std::chrono::seconds;

bool contains(ByteView text, ByteView part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end()) != text.end();
}

TEST(Engine, FirstFrameWaitsForTheSessionAndArrivesWhole) {
  Lab lab;
  lab.introduce();
  const Bytes frame = ip_frame(lab.a(), lab.b(), numbered(7));
  // Its MAC is known to nobody yet: metad is asked, the frame is dropped as unknown.
  lab.a().send(frame);
  EXPECT_EQ(lab.a().counter(Counter::DropUnknownMac), 1u);
  lab.run(milliseconds(1));
  lab.a().send(frame);
  EXPECT_TRUE(lab.b().frames.empty());
  lab.run(milliseconds(30));
  ASSERT_EQ(lab.b().frames.size(), 1u);
  EXPECT_EQ(lab.b().frames[0], frame);
  EXPECT_EQ(lab.a().state_of(lab.b()), SessionState::Live);
  EXPECT_EQ(lab.b().state_of(lab.a()), SessionState::Live);
  EXPECT_EQ(lab.a().path_to(lab.b()), lab.b().endpoint);
  EXPECT_EQ(lab.b().path_to(lab.a()), lab.a().endpoint);

  const Bytes back = ip_frame(lab.b(), lab.a(), numbered(8));
  lab.b().send(back);
  lab.run(milliseconds(10));
  ASSERT_EQ(lab.a().frames.size(), 1u);
  EXPECT_EQ(lab.a().frames[0], back);
}

TEST(Engine, AddressQuestionIsAnsweredTheMomentTheCredentialVerifies) {
  Lab lab;
  lab.a().send(arp_request(lab.a(), lab.b().credential.ipv4.address));
  ASSERT_EQ(lab.a().frames.size(), 1u);  // the model of metad answers at once
  const ByteView reply(lab.a().frames[0]);
  EXPECT_TRUE(equal(reply.subspan(22, 6), lab.b().credential.mac.bytes));
  EXPECT_TRUE(lab.seen.empty());  // nothing crossed the wire
  EXPECT_EQ(lab.a().counter(Counter::NeighbourQuestions), 1u);
  lab.a().send(arp_request(lab.a(), lab.b().credential.ipv4.address));
  EXPECT_EQ(lab.a().frames.size(), 2u);
  EXPECT_EQ(lab.a().counter(Counter::NeighbourQuestions), 1u);
}

TEST(Engine, NobodyAnswersForAnAddressThatNoVerifiedCredentialCovers) {
  Lab lab;
  lab.a().metad_answers = false;
  lab.a().send(arp_request(lab.a(), lab.b().credential.ipv4.address));
  // A lying metad names C, whose credential does not cover the address.
  Node& c = lab.add();
  lab.a().say(meta_link::Owner{4, lab.b().credential.ipv4.address.bytes, true, c.address.bytes});
  lab.a().give_member(c);
  EXPECT_TRUE(lab.a().frames.empty());
  EXPECT_EQ(lab.a().counter(Counter::MembersAccepted), 1u);
  lab.a().give_member(lab.b());
  EXPECT_EQ(lab.a().frames.size(), 1u);
}

TEST(Engine, SessionIsRenewedUnderTrafficWithoutLosingAFrame) {
  Lab lab;
  lab.a().give_member(lab.b());
  lab.b().give_member(lab.a());
  const std::uint32_t total = 4000;
  for (std::uint32_t i = 0; i < total; ++i) {
    lab.a().send(ip_frame(lab.a(), lab.b(), numbered(i)));
    if (i % 10 == 0) lab.b().send(ip_frame(lab.b(), lab.a(), numbered(i)));
    lab.run(milliseconds(100));
  }
  EXPECT_EQ(lab.b().frames.size(), total);
  EXPECT_EQ(lab.a().frames.size(), total / 10);
  const std::uint64_t done = lab.a().counter(Counter::HandshakesDone);
  EXPECT_GE(done, 4u);  // 400 s, one each 120 s
  EXPECT_LE(done, 5u);
}

TEST(Engine, ResponderAloneTalkingKeepsTheSessionAlive) {
  Lab lab;
  lab.a().give_member(lab.b());
  lab.b().give_member(lab.a());
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(0)));
  lab.run(seconds(1));
  for (std::uint32_t i = 0; i < 1000; ++i) {
    lab.b().send(ip_frame(lab.b(), lab.a(), numbered(i)));
    lab.run(milliseconds(400));
  }
  EXPECT_EQ(lab.a().frames.size(), 1000u);
  EXPECT_EQ(lab.b().counter(Counter::HandshakesGivenUp), 0u);
}

TEST(Engine, BadWireLosesFramesButNeverRepeatsOrChangesOne) {
  Lab lab(5);
  lab.loss = 0.2;
  lab.duplicates = 0.2;
  lab.spread = milliseconds(40);
  lab.a().give_member(lab.b());
  lab.b().give_member(lab.a());
  const std::uint32_t total = 5000;
  for (std::uint32_t i = 0; i < total; ++i) {
    lab.a().send(ip_frame(lab.a(), lab.b(), numbered(i)));
    lab.b().send(ip_frame(lab.b(), lab.a(), numbered(i)));
    lab.run(milliseconds(60));
  }
  for (auto [to, from] : {std::pair(&lab.a(), &lab.b()), std::pair(&lab.b(), &lab.a())}) {
    std::set<Bytes> all;
    for (std::uint32_t i = 0; i < total; ++i) all.insert(ip_frame(*from, *to, numbered(i)));
    std::set<Bytes> got;
    for (const Bytes& frame : to->frames) {
      EXPECT_TRUE(all.contains(frame));
      EXPECT_TRUE(got.insert(frame).second);
    }
    EXPECT_GT(got.size(), total * 7 / 10);
    EXPECT_LT(got.size(), total * 9 / 10);
  }
}

TEST(Engine, BothBeginningAtOnceEndsInOneSession) {
  for (std::uint64_t seed = 1; seed < 9; ++seed) {
    Lab lab(seed);
    lab.a().give_member(lab.b());
    lab.b().give_member(lab.a());
    lab.a().send(ip_frame(lab.a(), lab.b(), numbered(1)));
    lab.b().send(ip_frame(lab.b(), lab.a(), numbered(2)));
    lab.run(milliseconds(100));
    EXPECT_EQ(lab.a().frames.size(), 1u) << seed;
    EXPECT_EQ(lab.b().frames.size(), 1u) << seed;
    EXPECT_EQ(lab.a().counter(Counter::HandshakesDone), 1u) << seed;
    EXPECT_EQ(lab.b().counter(Counter::HandshakesDone), 1u) << seed;
    Node& higher = lab.a().address > lab.b().address ? lab.a() : lab.b();
    EXPECT_EQ(higher.counter(Counter::HandshakesAnswered), 0u) << seed;
  }
}

TEST(Engine, HigherAddressBehindNatIsReachedThroughTheSourceItSaw) {
  Lab lab;
  Node& higher = lab.a().address > lab.b().address ? lab.a() : lab.b();
  Node& lower = &higher == &lab.a() ? lab.b() : lab.a();
  // The higher one knows only a wrong place of the lower one.
  higher.say(meta_link::Member{lower.address.bytes,
                               *lower.record,
                               lower.credential_bytes,
                               {Endpoint{IpAddress::v4({203, 0, 113, 9}), 1}},
                               0,
                               false});
  lower.give_member(higher);
  higher.send(ip_frame(higher, lower, numbered(1)));
  lower.send(ip_frame(lower, higher, numbered(2)));
  lab.run(milliseconds(200));
  EXPECT_EQ(higher.frames.size(), 1u);
  EXPECT_EQ(lower.frames.size(), 1u);
}

TEST(Engine, HigherAddressThatUsesAnOldRecordGivesWay) {
  Lab lab;
  Node& higher = lab.a().address > lab.b().address ? lab.a() : lab.b();
  Node& lower = &higher == &lab.a() ? lab.b() : lab.a();
  higher.metad_answers = false;
  higher.give_member(lower);
  lower.restart();  // another key
  higher.send(ip_frame(higher, lower, numbered(1)));
  lab.run(milliseconds(10));
  EXPECT_EQ(lower.counter(Counter::DropStale), 1u);
  lower.give_member(higher, true);
  lab.run(milliseconds(100));
  EXPECT_EQ(lower.frames.size(), 1u);
  EXPECT_EQ(higher.counter(Counter::HandshakesAnswered), 1u);
}

TEST(Engine, RestartedNodeIsBackAtOnce) {
  Lab lab;
  lab.a().give_member(lab.b());
  lab.b().give_member(lab.a());
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(0)));
  lab.run(seconds(5));
  ASSERT_EQ(lab.b().frames.size(), 1u);
  lab.b().restart({&lab.a()});
  const Instant killed = lab.moment.now;
  std::uint32_t i = 1;
  EXPECT_TRUE(lab.run_until(seconds(5), [&] {
    lab.a().send(ip_frame(lab.a(), lab.b(), numbered(i++)));
    return lab.b().frames.size() > 1;
  }));
  EXPECT_LT(lab.moment.now - killed, seconds(1));
}

TEST(Engine, NewerRecordOfALivePeerBringsAFreshHandshake) {
  Lab lab;
  lab.a().give_member(lab.b());
  lab.b().give_member(lab.a());
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(0)));
  lab.run(seconds(5));
  lab.b().restart();  // knows nobody; A hears of the new key by KEY_CHANGED
  lab.run(seconds(1));
  lab.a().give_member(lab.b());
  lab.run(milliseconds(50));
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(1)));
  lab.run(milliseconds(50));
  EXPECT_EQ(lab.b().frames.size(), 2u);
  EXPECT_EQ(lab.b().state_of(lab.a()), SessionState::Live);
}

TEST(Engine, GroupsReachEveryKnownMember) {
  Lab lab(3, 4);
  lab.introduce();
  const Bytes frame = broadcast_frame(lab.a(), numbered(9));
  lab.a().send(frame);
  lab.run(milliseconds(100));
  for (std::size_t i = 1; i < 4; ++i) {
    ASSERT_EQ(lab.node(i).frames.size(), 1u);
    EXPECT_EQ(lab.node(i).frames[0], frame);
  }
  for (int i = 0; i < 200; ++i) lab.a().send(frame);
  EXPECT_GE(lab.a().counter(Counter::DropMulticastBudget), 95u);
}

TEST(Engine, BroadcastCanBeSwitchedOffByTheDocument) {
  Lab lab;
  lab.introduce();
  lab.a().say(meta_link::Document{lab.document(2, {}, false)});
  lab.a().send(broadcast_frame(lab.a(), numbered(1)));
  lab.b().send(broadcast_frame(lab.b(), numbered(2)));  // does not know it yet
  lab.run(milliseconds(100));
  EXPECT_TRUE(lab.b().frames.empty());
  EXPECT_TRUE(lab.a().frames.empty());
  EXPECT_EQ(lab.a().counter(Counter::DropBroadcast), 2u);
}

TEST(Engine, KeyChangedLeadsToTheNewKeyBeforeTheQueueEnds) {
  Lab lab;
  lab.a().give_member(lab.b());
  lab.b().restart();  // another key; A still holds the record of the old one
  lab.a().say(meta_link::Stale{lab.b().address.bytes, 1});           // lower than seen: nothing
  lab.a().say(meta_link::Stale{lab.b().address.bytes, UINT64_MAX});  // any number is a hint only
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(1)));
  lab.run(milliseconds(50));
  EXPECT_EQ(lab.b().frames.size(), 1u);
  // Without any hint it takes one retry.
  lab.b().restart();
  lab.run(seconds(200));
  lab.b().restart();
  lab.a().send(ip_frame(lab.a(), lab.b(), numbered(2)));
  lab.run(milliseconds(1500));
  EXPECT_EQ(lab.b().frames.size(), 2u);
}

TEST(Engine, NothingReadableOnTheWire) {
  Lab lab;
  lab.introduce();
  const std::string_view secret = "a very plain sentence nobody may read";
  lab.a().give_member(lab.b());
  for (int i = 0; i < 20; ++i) {
    lab.a().send(ip_frame(lab.a(), lab.b(), as_bytes(secret)));
    lab.a().send(broadcast_frame(lab.a(), as_bytes(secret)));
    lab.run(milliseconds(10));
  }
  EXPECT_EQ(lab.b().frames.size(), 40u);
  for (const Packet& packet : lab.seen) {
    EXPECT_FALSE(contains(packet.bytes, as_bytes(secret)));
    EXPECT_FALSE(contains(packet.bytes, as_bytes(secret.substr(0, 8))));
    EXPECT_FALSE(contains(packet.bytes, lab.a().credential.ipv4.address.view()));
    EXPECT_FALSE(contains(packet.bytes, lab.a().address.public_key()));
  }
}

TEST(Engine, RunsForTwoHoursThroughKeyRotations) {
  Lab lab;
  lab.a().give_member(lab.b());
  lab.b().give_member(lab.a());
  const std::uint64_t first = lab.a().epoch;
  for (std::uint32_t i = 0; i < 1500; ++i) {
    lab.a().send(ip_frame(lab.a(), lab.b(), numbered(i)));
    lab.run(seconds(5));
  }
  EXPECT_EQ(lab.b().frames.size(), 1500u);
  EXPECT_GT(lab.a().epoch, first);
  EXPECT_EQ(lab.b().counter(Counter::DropEpoch), 0u);
  // Pushed inside the session, so neither side had to ask for the other's key.
  for (const auto& m : lab.a().told) EXPECT_FALSE(std::holds_alternative<meta_link::WantKey>(m));
}

TEST(Engine, PingIsAnsweredOrSaidUnanswered) {
  Lab lab;
  lab.introduce();
  lab.a().say(meta_link::Probe{42, lab.b().address.bytes});
  lab.run(milliseconds(100));
  const auto answer = [&](std::uint32_t id) -> std::optional<meta_link::ProbeAnswer> {
    for (const auto& m : lab.a().told)
      if (const auto* p = std::get_if<meta_link::ProbeAnswer>(&m); p != nullptr && p->id == id)
        return *p;
    return std::nullopt;
  };
  ASSERT_TRUE(answer(42).has_value());
  EXPECT_TRUE(answer(42)->answered);
  EXPECT_EQ(answer(42)->rtt_us, 10000u);
  EXPECT_EQ(answer(42)->endpoint, lab.b().endpoint);
  lab.loss = 1;
  lab.a().say(meta_link::Probe{43, lab.b().address.bytes});
  lab.run(seconds(4));
  ASSERT_TRUE(answer(43).has_value());
  EXPECT_FALSE(answer(43)->answered);
}

TEST(Engine, PeerListAndCounters) {
  Lab lab;
  lab.introduce();
  lab.a().say(meta_link::Probe{1, lab.b().address.bytes});
  lab.run(milliseconds(100));
  lab.a().told.clear();
  lab.a().say(meta_link::ListPeers{77});
  ASSERT_EQ(lab.a().told.size(), 2u);
  const auto& peer = std::get<meta_link::PeerState>(lab.a().told[0]);
  EXPECT_EQ(peer.id, 77u);
  EXPECT_EQ(peer.state, SessionState::Live);
  EXPECT_GT(peer.rx_bytes, 0u);
  const auto& end = std::get<meta_link::PeersEnd>(lab.a().told[1]);
  EXPECT_TRUE(end.device);
  EXPECT_TRUE(end.key);
  EXPECT_TRUE(std::any_of(end.counters.begin(), end.counters.end(),
                          [](const auto& c) { return c.name == "handshakes_done"; }));
}

}  // namespace
}  // namespace wattle::cryptod::lab
