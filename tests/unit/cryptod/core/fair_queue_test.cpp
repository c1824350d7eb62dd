#include "cryptod/core/fair_queue.h"

#include <gtest/gtest.h>
#include <deque>
#include <map>
#include <random>

namespace wattle::cryptod {
namespace {

constexpr Instant kNow{std::chrono::hours(1)};

struct Frames {
  // To destination `to`, numbered.
  TapFrame make(std::uint8_t to, std::size_t size) {
    Bytes& bytes = all.emplace_back(size, 0);
    bytes[5] = to;
    return {bytes, {}, next++};
  }
  std::deque<Bytes> all;
  std::uint16_t next = 0;
};

std::uint8_t destination(const TapFrame& frame) { return frame.bytes[5]; }

TEST(FairQueue, KeepsTheOrderOfEachDestination) {
  Frames f;
  FairQueue queue;
  for (int i = 0; i < 300; ++i)
    queue.push(f.make(static_cast<std::uint8_t>(i % 7), 60 + static_cast<std::size_t>(i)), kNow);
  std::map<std::uint8_t, int> last;
  for (int i = 0; i < 300; ++i) {
    ASSERT_FALSE(queue.empty());
    const TapFrame frame = queue.pop(kNow);
    const auto known = last.find(destination(frame));
    if (known != last.end()) {
      EXPECT_GT(frame.buffer, known->second);
    }
    last[destination(frame)] = frame.buffer;
  }
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.bytes(), 0u);
}

TEST(FairQueue, WhatHasJustBegunComesBeforeBulk) {
  Frames f;
  FairQueue queue;
  for (int i = 0; i < 100; ++i) queue.push(f.make(1, 60'000), kNow);
  EXPECT_EQ(destination(queue.pop(kNow)), 1);
  EXPECT_EQ(destination(queue.pop(kNow)), 1);  // its quantum is used up
  queue.push(f.make(2, 98), kNow);
  EXPECT_EQ(destination(queue.pop(kNow)), 2);
  EXPECT_EQ(destination(queue.pop(kNow)), 1);
}

TEST(FairQueue, BulkSharesByBytes) {
  Frames f;
  FairQueue queue;
  for (int i = 0; i < 10; ++i) queue.push(f.make(1, 60'000), kNow);
  for (int i = 0; i < 400; ++i) queue.push(f.make(2, 1'500), kNow);
  std::map<std::uint8_t, std::size_t> sent;
  while (sent[1] + sent[2] < 600'000) {
    const TapFrame frame = queue.pop(kNow);
    sent[destination(frame)] += frame.bytes.size();
  }
  const auto difference = static_cast<std::int64_t>(sent[1]) - static_cast<std::int64_t>(sent[2]);
  EXPECT_LT(std::abs(difference), 3 * FairQueue::kQuantum);
}

// Short frames that come one at a time, each when the last has left, do not shut bulk out.
TEST(FairQueue, AlwaysBeginningIsNotAlwaysFirst) {
  Frames f;
  FairQueue queue;
  for (int i = 0; i < 4; ++i) queue.push(f.make(1, 60'000), kNow);
  int bulk = 0;
  for (int i = 0; i < 8; ++i) {
    queue.push(f.make(2, 60'000), kNow);
    bulk += destination(queue.pop(kNow)) == 1 ? 1 : 0;
  }
  EXPECT_GE(bulk, 3);
}

TEST(FairQueue, DropsTheOldestOfTheMost) {
  Frames f;
  FairQueue queue;
  queue.push(f.make(2, 98), kNow);
  const TapFrame first = f.make(1, 1'000);
  queue.push(first, kNow);
  for (std::size_t i = 2; i < FairQueue::kMaxFrames; ++i) queue.push(f.make(1, 1'000), kNow);
  EXPECT_FALSE(queue.is_over());
  queue.push(f.make(3, 98), kNow);
  ASSERT_TRUE(queue.is_over());
  EXPECT_EQ(queue.drop().buffer, first.buffer);
  EXPECT_FALSE(queue.is_over());
  std::map<std::uint8_t, int> left;
  while (!queue.empty()) ++left[destination(queue.pop(kNow))];
  EXPECT_EQ(left[2], 1);
  EXPECT_EQ(left[3], 1);
}

TEST(FairQueue, BytesAreBoundedToo) {
  Frames f;
  FairQueue queue;
  const std::size_t fit = FairQueue::kMaxBytes / kMaxSuperFrame;
  for (std::size_t i = 0; i < fit; ++i) queue.push(f.make(1, kMaxSuperFrame), kNow);
  EXPECT_FALSE(queue.is_over());
  queue.push(f.make(1, kMaxSuperFrame), kNow);
  ASSERT_TRUE(queue.is_over());
  queue.drop();
  EXPECT_FALSE(queue.is_over());
}

// Nothing is lost or doubled, whatever the order of pushes, pops and drops.
TEST(FairQueue, LosesNothing) {
  Frames f;
  FairQueue queue;
  std::mt19937 random(7);
  std::map<std::uint16_t, int> in;
  for (int i = 0; i < 20'000; ++i) {
    if (random() % 2 == 0 && queue.frames() < FairQueue::kMaxFrames) {
      const TapFrame frame = f.make(static_cast<std::uint8_t>(random() % 200), 14 + random() % 100);
      queue.push(frame, kNow);
      ++in[frame.buffer];
    } else if (!queue.empty()) {
      const TapFrame frame = random() % 8 == 0 ? queue.drop() : queue.pop(kNow);
      ASSERT_EQ(in[frame.buffer]--, 1);
    }
  }
  while (!queue.empty()) ASSERT_EQ(in[queue.pop(kNow).buffer]--, 1);
  for (const auto& [buffer, count] : in) EXPECT_EQ(count, 0) << buffer;
}

// CoDel: a standing queue loses one after an interval, then more and more often; a burst nothing.
TEST(FairQueue, AStandingQueueLosesSomeABurstNothing) {
  using std::chrono::milliseconds;
  Frames f;
  FairQueue queue;
  Instant now = kNow;
  std::vector<int> dropped;
  for (int i = 0; i < 20; ++i) queue.push(f.make(1, 1'500), now);
  for (int ms = 0; ms < 400; ++ms) {
    now += milliseconds(1);
    queue.push(f.make(1, 1'500), now);
    if (queue.pop(now).early_drop) dropped.push_back(ms);
  }
  ASSERT_GE(dropped.size(), 3u);
  EXPECT_GE(dropped[0], 95);
  EXPECT_LE(dropped[0], 120);
  EXPECT_LT(dropped[2] - dropped[1], dropped[1] - dropped[0]);

  while (!queue.empty()) queue.pop(now);
  for (int i = 0; i < 200; ++i) queue.push(f.make(3, 1'500), now);
  while (!queue.empty()) {
    now += std::chrono::microseconds(200);
    EXPECT_FALSE(queue.pop(now).early_drop);
  }
}

TEST(FairQueue, TakesFramesOfAnySize) {
  FairQueue queue;
  queue.push({}, kNow);
  EXPECT_FALSE(queue.empty());
  EXPECT_EQ(queue.drop().bytes.size(), 0u);
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace wattle::cryptod
