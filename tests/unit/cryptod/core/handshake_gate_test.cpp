// Budgets and cookies: the gate alone, then engines under a flood of right first messages.
#include "cryptod/core/handshake_gate.h"

#include <gtest/gtest.h>

#include "cryptod/core/handshake_responder.h"
#include "hand_member.h"

namespace wattle::cryptod::lab {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Verdict = HandshakeGate::Verdict;

HandshakeGate::Place place(const IpAddress& source, std::uint16_t port = 8737) {
  return {{source, port}, {}, {1, 2, 3}};
}
IpAddress source(std::uint32_t i) {
  return IpAddress::v4({10, static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8),
                        static_cast<std::uint8_t>(i)});
}

TEST(HandshakeGate, OneSourceCannotUseUpTheRestOfAll) {
  SeededRandom random(6);
  HandshakeGate gate(random);
  const Instant now(seconds(100));
  const auto take = [&](const IpAddress& from) {
    return gate.take(now, place(from), false, false);
  };
  const IpAddress loud = IpAddress::v4({192, 0, 2, 1});
  std::size_t passed = 0;
  for (int i = 0; i < 1000; ++i) passed += take(loud) == Verdict::Pass;
  EXPECT_EQ(passed, HandshakeGate::kSourceBurst);
  EXPECT_EQ(take(loud), Verdict::Source);
  EXPECT_EQ(take(IpAddress::v4({192, 0, 2, 2})), Verdict::Pass);
  // IPv6 sources count by their /64.
  IpAddress six = IpAddress::v6({0x20, 1, 0xd, 0xb8});
  passed = 0;
  for (std::uint8_t i = 0; i < 200; ++i) {
    six.bytes[15] = i;
    passed += take(six) == Verdict::Pass;
  }
  EXPECT_EQ(passed, HandshakeGate::kSourceBurst);
  std::size_t all = 0;
  for (std::uint32_t i = 0; i < 5000; ++i) all += take(source(i)) == Verdict::Pass;
  EXPECT_EQ(all, HandshakeGate::kWorkBurst - 2 * HandshakeGate::kSourceBurst - 1);
  EXPECT_EQ(gate.take(now + seconds(1), place(loud), false, false), Verdict::Pass);
}

TEST(HandshakeGate, AProvenClaimIsCountedByItsMember) {
  SeededRandom random(6);
  HandshakeGate gate(random);
  const Instant now(seconds(100));
  std::size_t passed = 0;
  for (std::uint32_t i = 0; i < 100; ++i)
    passed += gate.take(now, place(source(i)), true, false) == Verdict::Pass;
  EXPECT_EQ(passed, HandshakeGate::kMemberBurst);
}

TEST(HandshakeGate, IsBusyFromTheHundredAndTwentyEighthOnAndASecondMore) {
  SeededRandom random(6);
  HandshakeGate gate(random);
  const Instant now(seconds(100));
  for (std::uint32_t i = 0; i < 127; ++i) gate.asked(now, place(source(i)));
  EXPECT_FALSE(gate.is_busy(now));
  gate.asked(now, place(source(999)));
  EXPECT_TRUE(gate.is_busy(now));
  EXPECT_TRUE(gate.is_busy(now + milliseconds(999)));
  EXPECT_FALSE(gate.is_busy(now + milliseconds(2001)));
}

TEST(HandshakeGate, ACookieIsGoodForItsPlaceAndFourMinutesAtMost) {
  SeededRandom random(6);
  HandshakeGate gate(random);
  const Instant now(seconds(1));  // just booted
  Bytes message(kMessage1Size, 0x31);
  const auto place_of = place(source(1));
  const Mac mac = mac2(gate.cookie(now, place_of), ByteView(message).first(578));
  std::copy(mac.begin(), mac.end(), message.begin() + 578);
  EXPECT_TRUE(gate.has_cookie(now, place_of, message));
  EXPECT_FALSE(gate.has_cookie(now, place(source(2)), message));
  EXPECT_FALSE(gate.has_cookie(now, place(source(1), 8738), message));
  HandshakeGate::Place other = place_of;
  other.relay[0] = 1;
  EXPECT_FALSE(gate.has_cookie(now, other, message));
  other = place_of;
  other.sender[0] ^= 1;
  EXPECT_FALSE(gate.has_cookie(now, other, message));
  Bytes changed = message;
  changed[100] ^= 1;
  EXPECT_FALSE(gate.has_cookie(now, place_of, changed));

  EXPECT_TRUE(gate.has_cookie(now + seconds(130), place_of, message));  // the previous secret
  EXPECT_FALSE(gate.has_cookie(now + seconds(260), place_of, message));
  HandshakeGate fresh(random);
  EXPECT_FALSE(fresh.has_cookie(now, place_of, message));
}

TEST(HandshakeGate, MembersWhereTheyAreExpectedHaveAShareOfTheirOwn) {
  SeededRandom random(6);
  HandshakeGate gate(random);
  const Instant now(seconds(100));
  std::size_t looks = 0, cookies = 0;
  for (int i = 0; i < 100'000; ++i) {
    looks += gate.may_look(now, false);
    cookies += gate.may_tell_cookie(now, false);
  }
  EXPECT_EQ(looks, HandshakeGate::kLookBurst);
  EXPECT_EQ(cookies, HandshakeGate::kCookieBurst);
  EXPECT_TRUE(gate.may_look(now, true));
  EXPECT_TRUE(gate.may_tell_cookie(now, true));
  // Nor do those who show cookies of their own, in whosever name.
  for (std::uint32_t i = 0; i < 1000; ++i) gate.take(now, place(source(i)), true, false);
  EXPECT_NE(gate.take(now, place(source(2000)), true, false), Verdict::Pass);
  std::size_t passed = 0;
  for (std::uint32_t i = 0; i < 1000; ++i)
    passed += gate.take(now, place(source(3000 + i)), true, true) == Verdict::Pass;
  EXPECT_EQ(passed, HandshakeGate::kExpectedBurst);
}

// ---- engines ----------------------------------------------------------------------------------

struct Cookies : ::testing::Test {
  Lab lab{1, 2};
  Node& a = lab.a();
  HandMember member{lab};
  std::uint32_t flooded = 0;

  // Right in every respect, from n places that the sender only claims to be at.
  void flood(std::uint32_t n) {
    for (std::uint32_t i = 0; i < n; ++i)
      lab.inject(a, {source(++flooded), 9}, to_bytes(member.initiator(a).message1()));
  }
};

TEST_F(Cookies, AreToldOnlyUnderLoadAndCostLessThanWhatAskedForThem) {
  flood(128);
  EXPECT_EQ(a.counter(Counter::CookiesTold), 0u);
  EXPECT_EQ(a.counter(Counter::HandshakesAnswered), 128u);
  const std::size_t sent = lab.seen.size();
  flood(200);
  EXPECT_EQ(a.counter(Counter::HandshakesAnswered), 128u);
  EXPECT_EQ(a.counter(Counter::DropMac2), 200u);
  EXPECT_EQ(a.counter(Counter::CookiesTold), 200u);
  ASSERT_EQ(lab.seen.size(), sent + 200);
  EXPECT_EQ(lab.seen.back().bytes.size(), kCookieSize);
  EXPECT_EQ(lab.seen.back().to, (Endpoint{source(flooded), 9}));
  lab.moment.now += seconds(2);
  flood(1);
  EXPECT_EQ(a.counter(Counter::HandshakesAnswered), 129u);  // the load is over
}

TEST_F(Cookies, AFloodThatShowsNoneKeepsNobodyOut) {
  flood(400);
  Node& b = lab.b();
  a.give_member(b);
  b.give_member(a);
  b.send(ip_frame(b, a, numbered(0)));
  EXPECT_TRUE(lab.run_until(seconds(1), [&] {
    flood(3);
    return !a.frames.empty();
  }));
  EXPECT_EQ(b.counter(Counter::CookiesHeard), 1u);
  EXPECT_EQ(b.counter(Counter::HandshakesDone), 1u);
}

TEST_F(Cookies, AMemberBehindARelayIsToldOneToo) {
  Lab far{3, 3};
  Node& end = far.c();
  HandMember loud{far};
  far.line();
  ASSERT_TRUE(far.run_until(seconds(20), [&] {
    return far.a().state_of(far.b()) == meta_link::SessionState::Live &&
           far.b().state_of(end) == meta_link::SessionState::Live;
  }));
  for (std::uint32_t i = 0; i < 400; ++i)
    far.inject(end, {source(i), 9}, to_bytes(loud.initiator(end).message1()));
  ASSERT_GT(end.counter(Counter::CookiesTold), 0u);
  far.a().send(ip_frame(far.a(), end, numbered(0)));
  std::uint32_t more = 1000, steps = 0;
  EXPECT_TRUE(far.run_until(seconds(3), [&] {
    if (steps++ % 20 == 0)  // the load goes on
      for (int i = 0; i < 20; ++i)
        far.inject(end, {source(++more), 9}, to_bytes(loud.initiator(end).message1()));
    return !end.frames.empty();
  }));
  EXPECT_GE(far.a().counter(Counter::CookiesHeard), 1u);
}

TEST_F(Cookies, OneOfAnotherPlaceIsNoneAndOneIsHeededOnce) {
  flood(200);
  Initiator initiator = member.initiator(a);
  lab.inject(a, member.endpoint, to_bytes(initiator.message1()));
  ASSERT_EQ(initiator.cookie(lab.seen.back().bytes), WireCheck::Accept);
  const Bytes proven = to_bytes(initiator.message1());
  const std::uint64_t answered = a.counter(Counter::HandshakesAnswered);
  lab.inject(a, {source(77), 9}, proven);
  EXPECT_EQ(a.counter(Counter::HandshakesAnswered), answered);
  lab.inject(a, member.endpoint, proven);
  EXPECT_EQ(a.counter(Counter::HandshakesAnswered), answered + 1);
  lab.inject(a, member.endpoint, proven);
  EXPECT_EQ(a.counter(Counter::DropHandshakeReplay), 1u);
}

TEST_F(Cookies, OneThatComesFromInsideTheNetworkLeadsNowhere) {
  Node& b = lab.b();
  b.give_member(a);
  flood(200);
  lab.pass = [](const Packet&) { return false; };
  b.send(ip_frame(b, a, numbered(0)));
  lab.inject(a, b.endpoint, lab.seen.back().bytes);
  const Bytes cookie = lab.seen.back().bytes;
  const std::size_t sent = lab.seen.size();
  lab.inject(b, {IpAddress::v4({10, 91, 4, 9}), 8737}, cookie);
  EXPECT_EQ(lab.seen.size(), sent);
  EXPECT_EQ(b.counter(Counter::DropNoEndpoint), 1u);
}

TEST_F(Cookies, TheInitiatorSendsItsMessageOnceMoreAndNotTwice) {
  Node& b = lab.b();
  b.give_member(a);
  flood(200);
  lab.pass = [](const Packet&) { return false; };
  b.send(ip_frame(b, a, numbered(0)));
  const Bytes first = lab.seen.back().bytes;
  ASSERT_EQ(header_type(first), static_cast<std::uint8_t>(WireType::Message1));
  lab.inject(a, b.endpoint, first);
  const Bytes cookie = lab.seen.back().bytes;
  ASSERT_EQ(header_type(cookie), static_cast<std::uint8_t>(WireType::Cookie));
  Bytes forged = cookie;
  forged[60] ^= 1;
  const std::size_t sent = lab.seen.size();
  lab.inject(b, a.endpoint, forged);
  EXPECT_EQ(b.counter(Counter::DropTag), 1u);
  EXPECT_EQ(lab.seen.size(), sent);
  lab.inject(b, a.endpoint, cookie);
  ASSERT_EQ(lab.seen.size(), sent + 1);
  EXPECT_TRUE(equal(ByteView(lab.seen.back().bytes).first(578), ByteView(first).first(578)));
  EXPECT_NE(lab.seen.back().bytes, first);
  lab.inject(b, a.endpoint, cookie);
  EXPECT_EQ(lab.seen.size(), sent + 1);
  EXPECT_EQ(b.counter(Counter::DropReplay), 1u);
}

}  // namespace
}  // namespace wattle::cryptod::lab
