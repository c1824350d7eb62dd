#include "common/base/token_bucket.h"

#include <gtest/gtest.h>

namespace wattle {
namespace {

using namespace std::chrono_literals;

TEST(TokenBucket, StartsFullAndRefillsAtItsRate) {
  TokenBucket bucket(10, 5);
  Instant now{100s};
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(bucket.take(now));
  EXPECT_FALSE(bucket.take(now));
  EXPECT_FALSE(bucket.take(now + 99ms));
  EXPECT_TRUE(bucket.take(now + 100ms));
  EXPECT_FALSE(bucket.take(now + 199ms));
  EXPECT_TRUE(bucket.take(now + 200ms));
}

TEST(TokenBucket, SavesNoMoreThanItsBurst) {
  TokenBucket bucket(10, 5);
  EXPECT_EQ(bucket.left(Instant{1s}), 5u);
  EXPECT_TRUE(bucket.take(Instant{1s}, 5));
  EXPECT_EQ(bucket.left(Instant{1s + 24h * 365}), 5u);
  EXPECT_FALSE(bucket.take(Instant{2s + 24h * 365}, 6));
}

TEST(TokenBucket, TimeThatRunsBackAddsNothing) {
  TokenBucket bucket(1000, 1);
  EXPECT_TRUE(bucket.take(Instant{10s}));
  EXPECT_FALSE(bucket.take(Instant{1s}));
  EXPECT_FALSE(bucket.take(Instant{10s}));
  EXPECT_TRUE(bucket.take(Instant{10s + 1ms}));
}

TEST(TokenBucket, TellsWhen) {
  TokenBucket bucket(50, 50);
  const Instant now{5s};
  EXPECT_EQ(bucket.ready_at(now), now);
  EXPECT_TRUE(bucket.take(now, 50));
  EXPECT_EQ(bucket.ready_at(now), now + 20ms);
  EXPECT_EQ(bucket.ready_at(now, 50), now + 1s);
  EXPECT_FALSE(bucket.take(bucket.ready_at(now, 3) - 1ns, 3));
  EXPECT_TRUE(bucket.take(now + 60ms, 3));
}

// Over a long time the rate holds to a token, however often it is asked and whatever the remainder.
TEST(TokenBucket, RateHoldsForOddRates) {
  TokenBucket bucket(7, 3);
  Instant now{1s};
  ASSERT_TRUE(bucket.take(now, 3));
  int taken = 0;
  for (int step = 0; step < 100'000; ++step) {
    now += 1'000'003ns;
    if (bucket.take(now)) ++taken;
  }
  EXPECT_NEAR(taken, 700, 1);
}

TEST(TokenBucket, GivesItsBurstThenOneEachPeriod) {
  TokenBucket bucket(1, 3, std::chrono::seconds(2));
  Instant now{std::chrono::seconds(100)};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(now));
  EXPECT_FALSE(bucket.take(now));
  now += std::chrono::milliseconds(1999);
  EXPECT_FALSE(bucket.take(now));
  now += std::chrono::milliseconds(1);
  EXPECT_TRUE(bucket.take(now));
  EXPECT_FALSE(bucket.take(now));
  now += std::chrono::seconds(3);
  EXPECT_TRUE(bucket.take(now));  // and half a period is left over
  now += std::chrono::seconds(1);
  EXPECT_TRUE(bucket.take(now));
  now += std::chrono::seconds(1000);
  EXPECT_TRUE(bucket.is_full(now));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(bucket.take(now));
  EXPECT_FALSE(bucket.take(now));
}

}  // namespace
}  // namespace wattle
