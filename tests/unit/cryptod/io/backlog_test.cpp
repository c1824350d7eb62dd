#include "cryptod/io/backlog.h"

#include <gtest/gtest.h>

namespace wattle::cryptod {
namespace {

using namespace meta_link;  // NOLINT

PeerState state(std::uint8_t member, std::uint64_t since, std::uint32_t id = 0) {
  PeerState s;
  s.id = id;
  s.address[39] = member;
  s.since = since;
  return s;
}

std::vector<Backlog::Message> drain(Backlog& backlog, std::size_t most = 1000) {
  std::vector<Backlog::Message> out;
  backlog.drain([&](const Backlog::Message& m) {
    if (out.size() == most) return false;
    out.push_back(m);
    return true;
  });
  return out;
}

std::uint64_t since(const Backlog::Message& m) { return std::get<PeerState>(m).since; }

TEST(Backlog, NewestValueWinsInItsOldPlace) {
  Backlog backlog(10, 1 << 20);
  EXPECT_TRUE(backlog.put(state(1, 100)));
  EXPECT_TRUE(backlog.put(state(2, 200)));
  EXPECT_TRUE(backlog.put(state(1, 101)));
  EXPECT_EQ(backlog.size(), 2u);
  const auto out = drain(backlog);
  ASSERT_EQ(out.size(), 2u);
  EXPECT_EQ(since(out[0]), 101u);
  EXPECT_EQ(since(out[1]), 200u);
  EXPECT_TRUE(backlog.empty());
}

TEST(Backlog, WhatIsNotTakenStays) {
  Backlog backlog(10, 1 << 20);
  for (std::uint8_t i = 0; i < 5; ++i) EXPECT_TRUE(backlog.put(state(i, i)));
  EXPECT_EQ(drain(backlog, 2).size(), 2u);
  EXPECT_EQ(backlog.size(), 3u);
  EXPECT_TRUE(backlog.put(state(0, 7)));  // its old place is gone
  const auto out = drain(backlog);
  ASSERT_EQ(out.size(), 4u);
  EXPECT_EQ(since(out[0]), 2u);
  EXPECT_EQ(since(out[3]), 7u);
}

TEST(Backlog, RefusesNewKeysAtItsLimit) {
  Backlog backlog(3, 1 << 20);
  for (std::uint8_t i = 0; i < 3; ++i) EXPECT_TRUE(backlog.put(state(i, i)));
  EXPECT_FALSE(backlog.put(state(3, 3)));
  EXPECT_TRUE(backlog.put(state(2, 9)));
  EXPECT_EQ(backlog.size(), 3u);
  backlog.clear();
  EXPECT_TRUE(backlog.put(state(3, 3)));
}

// A metad that asks and never reads: answers are large, so bytes count, too.
TEST(Backlog, RefusesWhatWeighsTooMuch) {
  Backlog backlog(1000, 64 * 1024);
  PeersEnd end{.id = 0, .counters = std::vector<Counter>(100, {"a_counter_with_a_long_name", 1})};
  std::size_t taken = 0;
  for (; end.id < 1000; ++end.id) taken += backlog.put(end);
  EXPECT_GT(taken, 3u);
  EXPECT_LT(taken, 20u);
  EXPECT_LE(backlog.bytes(), 64u * 1024);
  drain(backlog, 1);
  EXPECT_TRUE(backlog.put(end));
  drain(backlog);
  EXPECT_EQ(backlog.bytes(), 0u);
  EXPECT_TRUE(backlog.put(end));
  backlog.clear();
  EXPECT_EQ(backlog.bytes(), 0u);
}

TEST(Backlog, KeysTellMessagesApart) {
  std::vector<Backlog::Message> all;
  all.push_back(Ready{});
  all.push_back(OwnRecord{});
  all.push_back(LocalEndpoints{});
  WantOwner owner;
  all.push_back(owner);
  owner.kind = 6;
  all.push_back(owner);
  owner.value[3] = 1;
  all.push_back(owner);
  WantKey key;
  all.push_back(key);
  key.address[20] = 1;
  all.push_back(key);
  all.push_back(state(1, 0, 0));
  all.push_back(state(1, 0, 5));
  all.push_back(state(1, 0, 256));
  all.push_back(state(2, 0, 5));
  for (const std::uint32_t id : {1u, 2u}) {
    all.push_back(PeersEnd{.id = id, .counters = {}});
    all.push_back(ProbeAnswer{.id = id, .endpoint = {}});
  }
  Backlog backlog(100, 1 << 20);
  for (const auto& message : all) EXPECT_TRUE(backlog.put(message));
  EXPECT_EQ(backlog.size(), all.size());
  for (const auto& message : all) EXPECT_TRUE(backlog.put(message));
  EXPECT_EQ(backlog.size(), all.size());
  WantKey newer = key;
  newer.epoch = 77;
  EXPECT_TRUE(backlog.put(newer));
  EXPECT_EQ(backlog.size(), all.size());
}

}  // namespace
}  // namespace wattle::cryptod
