// The small tables of the engine, each against its definition.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "cryptod/core/actions.h"
#include "cryptod/core/counters.h"
#include "cryptod/core/deadline_heap.h"
#include "cryptod/core/own_keys.h"
#include "cryptod/core/owner_table.h"
#include "cryptod/core/peer_table.h"
#include "cryptod/core/pending_queue.h"
#include "engine_lab.h"

namespace wattle::cryptod {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(DeadlineHeap, AgreesWithASortedMap) {
  lab::SeededRandom random(4);
  DeadlineHeap heap;
  std::map<std::uint32_t, Instant> model;
  const auto earliest = [&] {
    Instant first = kNever;
    for (const auto& [slot, at] : model) first = std::min(first, at);
    return first;
  };
  for (int i = 0; i < 20000; ++i) {
    const auto slot = static_cast<std::uint32_t>(random.next() % 50);
    const Instant at(Duration(static_cast<std::int64_t>(random.next() % 1000)));
    switch (random.next() % 4) {
      case 0:
        heap.set(slot, kNever);
        model.erase(slot);
        break;
      case 1:
        heap.lower(slot, at);
        if (!model.contains(slot) || at < model[slot]) model[slot] = at;
        break;
      default:
        heap.set(slot, at);
        model[slot] = at;
    }
    ASSERT_EQ(heap.first(), earliest());
    ASSERT_EQ(heap.empty(), model.empty());
    if (!heap.empty()) {
      ASSERT_EQ(model.at(heap.first_slot()), heap.first());
    }
  }
}

TEST(PendingQueue, BoundsNumberAgeAndBytes) {
  QueueBudget budget{1000, 0};
  PendingQueue one, two;
  const Bytes body(100, 7);
  const Instant now(seconds(10));
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(one.push(now, InnerType::Frame, body, budget));
  EXPECT_FALSE(two.push(now, InnerType::Frame, body, budget));  // one bound for all
  EXPECT_TRUE(two.push(now, InnerType::Frame, {}, budget));
  one.pop(budget);
  EXPECT_TRUE(two.push(now + seconds(1), InnerType::Frame, body, budget));
  EXPECT_EQ(two.expires(), now + seconds(3));
  EXPECT_EQ(two.expire(now + milliseconds(2999), budget), 0u);
  EXPECT_EQ(two.expire(now + seconds(3), budget), 1u);
  EXPECT_EQ(two.clear(budget) + one.clear(budget), 10u);
  EXPECT_EQ(budget.used, 0u);
  for (std::size_t i = 0; i < PendingQueue::kFrames; ++i)
    EXPECT_TRUE(one.push(now, InnerType::Frame, {}, budget));
  EXPECT_FALSE(one.push(now, InnerType::Frame, {}, budget));
}

Credential credential(std::uint8_t n) {
  Credential c;
  c.mac = {{2, 0, 0, 0, 0, n}};
  c.ipv4 = {IpAddress::v4({10, 1, 0, n}), 32};
  c.ipv6 = {IpAddress::v6({0xfd, 0, 0, 0, 0, 0, 0, n}), 64};
  return c;
}

TEST(OwnerTable, FindsByEveryKindOfAddress) {
  OwnerTable table;
  const Credential one = credential(1), two = credential(2);
  EXPECT_TRUE(table.add(11, one));
  EXPECT_TRUE(table.add(22, two));
  EXPECT_EQ(table.find(one.ipv4.address), 11u);
  EXPECT_EQ(table.find(two.address6()), 22u);
  EXPECT_EQ(table.find(IpAddress::link_local(two.mac)), 22u);
  EXPECT_EQ(table.find(one.mac), 11u);
  EXPECT_EQ(table.find(IpAddress::v4({10, 1, 0, 3})), std::nullopt);
  EXPECT_EQ(table.find(IpAddress::v6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, 1})), std::nullopt);
  table.remove(11, one);
  EXPECT_EQ(table.find(one.ipv4.address), std::nullopt);
  EXPECT_EQ(table.find(one.mac), std::nullopt);
  EXPECT_EQ(table.find(two.ipv4.address), 22u);
}

TEST(OwnerTable, LongestPrefixWinsAndAForeignMacIsRefused) {
  OwnerTable table;
  Credential router = credential(1);
  router.ipv4 = {IpAddress::v4({10, 1, 0, 0}), 24};
  EXPECT_TRUE(table.add(1, router));
  EXPECT_TRUE(table.add(2, credential(2)));
  EXPECT_EQ(table.find(IpAddress::v4({10, 1, 0, 9})), 1u);
  EXPECT_EQ(table.find(IpAddress::v4({10, 1, 0, 2})), 2u);
  Credential thief = credential(3);
  thief.mac = router.mac;
  EXPECT_FALSE(table.add(3, thief));
  EXPECT_EQ(table.find(thief.ipv4.address), 1u);  // still only the router's block
  Credential twin = credential(4);
  twin.ipv6 = credential(2).ipv6;
  EXPECT_TRUE(table.add(4, twin));
  EXPECT_EQ(table.find(twin.address6()), 2u);  // the first keeps it
  table.remove(4, twin);
  EXPECT_EQ(table.find(twin.address6()), 2u);
}

TEST(PeerTable, FindsAndIsBounded) {
  PeerTable table(5);
  PeerTable::Fault fault{};
  NodeAddress address;
  address.bytes[0] = 1;
  for (std::uint32_t i = 0; i < PeerTable::kMaxPeers; ++i) {
    for (std::size_t k = 0; k < 4; ++k)
      address.bytes[10 + k] = static_cast<std::uint8_t>(i >> (8 * k));
    Peer* const peer = table.add(address, fault);
    ASSERT_NE(peer, nullptr);
    ASSERT_EQ(peer->slot, i);
  }
  EXPECT_EQ(table.add(address, fault), table.find(address));
  address.bytes[20] = 1;
  EXPECT_EQ(table.find(address), nullptr);
  EXPECT_EQ(table.add(address, fault), nullptr);
  EXPECT_EQ(fault, PeerTable::Fault::Full);
}

// A metad that lied has filled it with hints: the next one finds room. What was verified, or is
// used by another table, stays in its slot.
TEST(PeerTable, GivesTheSlotsOfMereHintsBack) {
  PeerTable table(5);
  PeerTable::Fault fault{};
  const auto add = [&](std::uint32_t number) {
    NodeAddress address;
    address.bytes[0] = 1;
    for (std::size_t k = 0; k < 4; ++k)
      address.bytes[10 + k] = static_cast<std::uint8_t>(number >> (8 * k));
    return table.add(address, fault);
  };
  for (std::uint32_t i = 0; i < PeerTable::kMaxPeers; ++i) add(i)->hinted = i % 2 == 0;
  add(1)->seen.emplace();
  add(3)->mark.emplace();
  add(5)->wanted = true;
  const NodeAddress blank = table.at(9).address;
  const auto keep = [](const Peer& peer) { return peer.slot == 7; };
  table.reclaim(keep);
  EXPECT_EQ(table.used(), PeerTable::kMaxPeers / 2 + 4);
  // Back in another slot, then given back once, not twice.
  EXPECT_NE(add(9)->slot, 9u);
  table.reclaim(keep);
  table.reclaim(keep);
  EXPECT_EQ(table.used(), PeerTable::kMaxPeers / 2 + 4);
  EXPECT_EQ(table.find(blank), nullptr);
  for (const std::uint32_t kept : {0u, 1u, 3u, 5u, 7u}) EXPECT_EQ(add(kept)->slot, kept);
  const std::size_t free = PeerTable::kMaxPeers - table.used();
  for (std::uint32_t i = 0; i < free; ++i) {
    Peer* const peer = add(100'000 + i);
    ASSERT_NE(peer, nullptr);
    EXPECT_EQ(&table.at(peer->slot), peer);
    EXPECT_EQ(table.find(peer->address), peer);
  }
  EXPECT_EQ(add(1'000'000), nullptr);
  EXPECT_EQ(fault, PeerTable::Fault::Full);
}

TEST(OwnKeys, PrivateHalfLivesTenMinutesAndFourRecordsAreKept) {
  lab::Lab lab(1, 1);
  OwnKeys keys;
  EXPECT_EQ(keys.current(), nullptr);
  const Instant now(seconds(1000));
  for (std::uint64_t epoch = 1; epoch <= 6; ++epoch) {
    PacketKeyRecord record;
    record.epoch = epoch;
    auto key = crypto::PrivateKey::generate();
    record.key = key.public_key();
    keys.install(std::make_shared<LocalKey>(build_packet_key(record, lab.a().identity),
                                            CredentialBytes{}, std::move(key)),
                 now + seconds(static_cast<std::int64_t>(epoch)));
  }
  EXPECT_EQ(keys.current()->epoch, 6u);
  EXPECT_EQ(keys.find(2), nullptr);
  ASSERT_NE(keys.find(5), nullptr);
  EXPECT_TRUE(keys.find(5)->key.has_value());
  EXPECT_EQ(keys.next_expiry(), now + seconds(4) + OwnKeys::kPrivateHalf);
  keys.expire(now + seconds(6) + OwnKeys::kPrivateHalf);
  EXPECT_FALSE(keys.find(5)->key.has_value());
  EXPECT_TRUE(keys.current()->key.has_value());
  EXPECT_EQ(keys.next_expiry(), kNever);
}

TEST(Actions, SpaceIsReusedAndBounded) {
  Actions actions;
  const MutableBytes first = actions.allocate(1500);
  first.data()[-10] = 1;  // the headroom is ours
  const std::uint8_t* const where = first.data();
  std::size_t count = 1;
  while (!actions.allocate(9000).empty()) ++count;
  EXPECT_GT(count, 400u);
  actions.clear();
  EXPECT_EQ(actions.allocate(1500).data(), where);
}

TEST(Counters, NamesAreDifferentAndOnlyCountedOnesAreListed) {
  std::map<std::string_view, int> names;
  for (std::size_t i = 0; i < kCounters; ++i) ++names[counter_name(static_cast<Counter>(i))];
  EXPECT_EQ(names.size(), kCounters);
  Counters counters;
  counters.add(Counter::DropMac1, 3);
  counters.add_rx(EtherDrop::SourceMac);
  const auto list = counters.list();
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0], (std::pair<std::string, std::uint64_t>("drop_mac1", 3)));
  EXPECT_EQ(list[1].first, "drop_rx_source_mac");
}

}  // namespace
}  // namespace wattle::cryptod
