// Whom to dial when, which duplicate survives, and a link's clockwork.
#include "metad/core/dial_policy.h"

#include <gtest/gtest.h>

#include "metad/core/http_answer.h"
#include "metad/core/link.h"
#include "tests/support/meta_world.h"

namespace wattle::metad::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Instant kStart(seconds(100));

struct DialTest : testing::Test {
  Realm realm;
  SeededRandom random{1};
  DialPolicy policy{realm.address(1), random};
};

TEST_F(DialTest, TriesEndpointsOneAfterTheOtherThenWaitsLonger) {
  policy.know(realm.address(2), {place(2), place(3)}, false, kStart);
  Instant now = kStart + seconds(1);
  const auto first = policy.due(now);
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].endpoint, place(2));
  EXPECT_EQ(first[0].expected, realm.address(2));
  EXPECT_TRUE(policy.due(now).empty());
  now += DialPolicy::kStagger;
  const auto second = policy.due(now);
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(second[0].endpoint, place(3));
  policy.ended(first[0].id, now);
  EXPECT_EQ(policy.next_deadline(), kNever) << "one is still under way";
  policy.ended(second[0].id, now);
  Duration before{};
  for (int round = 0; round < 12; ++round) {
    const Duration wait = policy.next_deadline() - now;
    EXPECT_GE(wait, DialPolicy::kFirstDelay * 3 / 4);
    EXPECT_LE(wait, DialPolicy::kLongestDelay * 5 / 4);
    if (round > 0 && round < 5) {
      EXPECT_GT(wait, before) << round;
    }
    before = wait;
    for (int endpoint = 0; endpoint < 2; ++endpoint) {
      now = policy.next_deadline();
      const auto orders = policy.due(now);
      ASSERT_EQ(orders.size(), 1u);
      policy.ended(orders[0].id, now);
    }
  }
  EXPECT_GE(before, DialPolicy::kLongestDelay * 3 / 4);
}

TEST_F(DialTest, ALinkedMemberIsLeftAloneAndDialledAgainWhenItsLinkEnds) {
  policy.know(realm.address(2), {place(2)}, false, kStart);
  policy.linked(realm.address(2));
  EXPECT_TRUE(policy.due(kStart + seconds(100)).empty());
  policy.unlinked(realm.address(2), true, kStart);
  EXPECT_TRUE(policy.due(kStart).empty());
  EXPECT_EQ(policy.due(kStart + seconds(2)).size(), 1u);
}

TEST_F(DialTest, AttemptsAtSomebodyLinkedMeanwhileAreCalledOff) {
  policy.know(realm.address(2), {place(2)}, false, kStart);
  const auto orders = policy.due(kStart + seconds(1));
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_TRUE(policy.superfluous().empty());
  policy.linked(realm.address(2));
  EXPECT_EQ(policy.superfluous(), std::vector<DialId>{orders[0].id});
}

TEST_F(DialTest, NeverDialsItselfAndNoticesAnImpostor) {
  policy.know(realm.address(1), {place(1)}, false, kStart);
  EXPECT_TRUE(policy.due(kStart + seconds(9)).empty());
  policy.know(realm.address(2), {place(2)}, false, kStart);
  const auto orders = policy.due(kStart + seconds(9));
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_FALSE(policy.reached(orders[0].id, realm.address(3), kStart + seconds(9)));
}

TEST_F(DialTest, AFixedEndpointLearnsWhoIsThere) {
  policy.add_fixed(place(7), kStart);
  auto orders = policy.due(kStart);
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_FALSE(orders[0].expected.has_value());
  EXPECT_TRUE(policy.reached(orders[0].id, realm.address(3), kStart));
  policy.linked(realm.address(3));
  EXPECT_TRUE(policy.due(kStart + seconds(100)).empty());
  policy.unlinked(realm.address(3), true, kStart + seconds(100));
  orders = policy.due(kStart + seconds(102));
  ASSERT_EQ(orders.size(), 1u);
  EXPECT_TRUE(policy.reached(orders[0].id, realm.address(4), kStart + seconds(102)))
      << "somebody else may live there now";
}

TEST_F(DialTest, IsBounded) {
  for (int i = 0; i < 60; ++i)
    policy.know(realm.address(static_cast<std::uint8_t>(2 + i)),
                {place(static_cast<std::uint8_t>(i))}, false, kStart);
  EXPECT_EQ(policy.due(kStart + seconds(1)).size(), DialPolicy::kMaxAttempts);
}

TEST_F(DialTest, ForgettingKeepsOtherAttemptsRight) {
  policy.know(realm.address(2), {place(2)}, false, kStart);
  policy.know(realm.address(3), {place(3)}, false, kStart);
  const auto orders = policy.due(kStart + seconds(1));
  ASSERT_EQ(orders.size(), 2u);
  policy.forget(realm.address(2));
  EXPECT_EQ(policy.superfluous().size(), 1u);
  policy.ended(orders[0].id, kStart + seconds(1));
  EXPECT_TRUE(policy.reached(orders[1].id, realm.address(3), kStart + seconds(1)));
}

TEST(DuplicateLinks, AreDecidedAlikeOnBothSides) {
  const Realm realm;
  const NodeAddress low = std::min(realm.address(2), realm.address(3));
  const NodeAddress high = std::max(realm.address(2), realm.address(3));
  EXPECT_TRUE(survives({high, 1}, {low, 9}));
  EXPECT_FALSE(survives({low, 9}, {high, 1}));
  EXPECT_TRUE(survives({low, 9}, {low, 8}));
  EXPECT_FALSE(survives({low, 8}, {low, 9}));
}

TEST(Link, WalksItsStagesInOrderOnly) {
  const Realm realm;
  LinkUp up;
  up.address = realm.address(2);
  Link link(up, realm.address(1), kStart);
  EXPECT_FALSE(link.on_ack());
  EXPECT_FALSE(link.on_end());
  EXPECT_TRUE(link.on_id(77));
  EXPECT_EQ(link.origin().dialler, realm.address(2));
  EXPECT_EQ(link.origin().dial, 77u);
  EXPECT_FALSE(link.on_id(78));
  EXPECT_FALSE(link.on_end());
  EXPECT_TRUE(link.on_ack());
  EXPECT_FALSE(link.on_ack());
  EXPECT_TRUE(link.is_talking());
  EXPECT_TRUE(link.on_end());
  EXPECT_EQ(link.stage(), Stage::Active);
}

TEST(Link, IsPingedWhenIdleAndDeadWithoutAnswers) {
  const Realm realm;
  LinkUp up;
  up.address = realm.address(2);
  Link link(up, realm.address(1), kStart);
  EXPECT_EQ(link.tick(kStart + seconds(9)), Link::Due::Nothing);
  EXPECT_EQ(link.tick(kStart + seconds(10)), Link::Due::TooSlow);
  ASSERT_TRUE(link.on_id(0) && link.on_ack() && link.on_end());
  EXPECT_EQ(link.tick(kStart + seconds(29)), Link::Due::Nothing);
  EXPECT_EQ(link.next_deadline(), kStart + seconds(30));
  EXPECT_EQ(link.tick(kStart + seconds(30)), Link::Due::Ping);
  EXPECT_EQ(link.tick(kStart + seconds(34)), Link::Due::Nothing);
  EXPECT_EQ(link.tick(kStart + seconds(35)), Link::Due::Ping);
  link.heard(kStart + seconds(36));
  EXPECT_EQ(link.tick(kStart + seconds(60)), Link::Due::Nothing) << "any line is life";
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(link.tick(kStart + seconds(66 + 5 * i)), Link::Due::Ping) << i;
  EXPECT_EQ(link.tick(kStart + seconds(81)), Link::Due::Dead);
}

TEST(HttpAnswer, IsReadByLengthOrToTheEnd) {
  const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  EXPECT_EQ(parse_http_answer(head + "hel", false, 100).error().code, Errc::Again);
  EXPECT_EQ(parse_http_answer(head + "hel", true, 100).error().code, Errc::Truncated);
  EXPECT_EQ(parse_http_answer(head + "hello", false, 100)->body, "hello");
  EXPECT_EQ(parse_http_answer(head + "hello", false, 4).has_value(), false);
  EXPECT_EQ(parse_http_answer("HTTP/1.0 404 x\r\n\r\nno", true, 100)->status, 404);
  EXPECT_EQ(parse_http_answer("HTTP/1.0 404 x\r\n\r\nno", false, 100).error().code, Errc::Again);
  for (const char* bad : {"SSH-2.0\r\n\r\n", "HTTP/1.1 2x0 OK\r\n\r\n",
                          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                          "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhellox",
                          "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"})
    EXPECT_FALSE(parse_http_answer(bad, true, 100).has_value()) << bad;
  EXPECT_EQ(parse_http_answer(std::string(9000, 'x'), false, 100).error().code, Errc::Full);
}

TEST(RegistryUrl, TakesHostAndPort) {
  EXPECT_EQ(*parse_registry_url("https://198.51.100.7:8443"), (RegistryUrl{"198.51.100.7", 8443}));
  EXPECT_EQ(*parse_registry_url("https://[2001:db8::1]:8443/"), (RegistryUrl{"2001:db8::1", 8443}));
  EXPECT_EQ(*parse_registry_url("https://r.example"), (RegistryUrl{"r.example", 443}));
  for (const char* bad : {"http://x:1", "https://", "https://x:0", "https://x:99999", "https://x:y",
                          "https://x/path", "https://[::1", "https://u@x"})
    EXPECT_FALSE(parse_registry_url(bad).has_value()) << bad;
}

}  // namespace
}  // namespace wattle::metad::test
