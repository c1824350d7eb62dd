#include "cryptod/keys/counter_slot.h"

#include <gtest/gtest.h>

#include "common/crypto/digest.h"

namespace wattle::keys {
namespace {

Counters sample(std::uint64_t generation) {
  Counters c;
  c.generation = generation;
  c.epoch = 1790000000123 + generation;
  c.seqno = 1790000000456 + generation;
  c.record = {5000, 1790000000000};
  c.origin = {1500, 1790000000001};
  c.enrolment = {10000, 1790000000002};
  c.has_record = true;
  c.document = 0x40 + generation;
  for (std::size_t i = 0; i < c.last_record.size(); ++i)
    c.last_record[i] = static_cast<std::uint8_t>(i + generation);
  return c;
}

// Both slots as store() leaves them after `generation` writes.
std::array<SlotBytes, 2> slots_after(std::uint64_t generation) {
  std::array<SlotBytes, 2> out{};
  for (std::uint64_t g = generation > 1 ? generation - 1 : 1; g <= generation; ++g)
    out[g % 2] = build_slot(sample(g));
  return out;
}

Counters with_gap(Counters c) {
  c.epoch += kDamageGap;
  c.seqno += kDamageGap;
  return c;
}

TEST(CounterSlot, RoundTrip) {
  for (const std::uint64_t generation : {std::uint64_t{1}, std::uint64_t{2}, UINT64_MAX}) {
    const Counters c = sample(generation);
    const auto parsed = parse_slot(build_slot(c));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, c);
  }
}

TEST(CounterSlot, LayoutIsFixed) {
  const SlotBytes slot = build_slot(sample(3));
  EXPECT_EQ(as_text(ByteView(slot).first(4)), "MKC1");
  EXPECT_EQ(slot[15], 3);  // generation
  EXPECT_EQ(slot[80], 1);  // has_record
  EXPECT_EQ(slot[88], 3);  // first byte of the record
  EXPECT_EQ(slot[287], (199 + 3) & 0xff);
  EXPECT_EQ(slot[295], 0x43);  // last byte of the document version
  EXPECT_TRUE(equal(ByteView(slot).subspan(480), crypto::sha256(ByteView(slot).first(480))));
}

TEST(CounterSlot, EveryChangedBitIsSeen) {
  const SlotBytes good = build_slot(sample(3));
  for (std::size_t bit = 0; bit < kSlotSize * 8; ++bit) {
    SlotBytes bad = good;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ (1u << bit % 8));
    EXPECT_FALSE(parse_slot(bad)) << "bit " << bit;
  }
}

// Also with a right checksum: the format's own rules.
TEST(CounterSlot, ConstantsAreChecked) {
  const auto resealed = [](std::size_t at, std::uint8_t value) {
    SlotBytes slot = build_slot(sample(3));
    slot[at] = value;
    const auto sum = crypto::sha256(ByteView(slot).first(480));
    std::copy(sum.begin(), sum.end(), slot.begin() + 480);
    return parse_slot(slot);
  };
  EXPECT_TRUE(resealed(15, 5));
  for (const std::size_t at : {0u, 3u, 4u, 7u, 81u, 87u, 296u, 479u}) {
    const auto result = resealed(at, 0xee);
    ASSERT_FALSE(result) << at;
    EXPECT_EQ(result.error().code, Errc::BadValue) << at;
  }
  EXPECT_FALSE(resealed(15, 0));  // generation 0 is never written
  EXPECT_FALSE(resealed(80, 2));
  EXPECT_FALSE(resealed(80, 0));  // "no record", but there is one
}

TEST(LoadSlots, NothingWrittenIsFresh) {
  EXPECT_EQ(load_slots({}, {}).health, Health::Fresh);
  const SlotBytes zeros{};
  const auto loaded = load_slots(zeros, zeros);
  EXPECT_EQ(loaded.health, Health::Fresh);
  EXPECT_EQ(loaded.counters, Counters{});
}

TEST(LoadSlots, TheNewestOfBothIsTaken) {
  for (std::uint64_t generation = 1; generation <= 5; ++generation) {
    const auto slots = slots_after(generation);
    const auto loaded = load_slots(slots[0], slots[1]);
    EXPECT_EQ(loaded.health, Health::Good) << generation;
    EXPECT_EQ(loaded.counters, sample(generation)) << generation;
  }
}

TEST(LoadSlots, OneDamagedSlotFallsBackAndSkips) {
  for (std::uint64_t generation = 2; generation <= 5; ++generation) {
    for (std::size_t which = 0; which < 2; ++which) {
      auto slots = slots_after(generation);
      slots[which][100] ^= 1;
      const auto loaded = load_slots(slots[0], slots[1]);
      EXPECT_EQ(loaded.health, Health::OneDamaged);
      const bool newest_lost = generation % 2 == which;
      EXPECT_EQ(loaded.counters, with_gap(sample(newest_lost ? generation - 1 : generation)));
      EXPECT_GT(loaded.counters.epoch, sample(generation).epoch);  // never used twice
      EXPECT_GT(loaded.counters.seqno, sample(generation).seqno);
    }
  }
}

TEST(LoadSlots, AWipedSlotIsDamage) {
  for (std::size_t which = 0; which < 2; ++which) {
    auto slots = slots_after(4);
    slots[which].fill(0);
    EXPECT_EQ(load_slots(slots[0], slots[1]).health, Health::OneDamaged);
  }
}

TEST(LoadSlots, ASlotInTheWrongPlaceIsDamage) {
  const auto slots = slots_after(4);
  EXPECT_EQ(load_slots(slots[1], slots[0]).health, Health::BothDamaged);
  EXPECT_EQ(load_slots(slots[0], slots[0]).health, Health::OneDamaged);
}

TEST(LoadSlots, BothDamaged) {
  auto slots = slots_after(4);
  slots[0][9] ^= 1;
  slots[1][9] ^= 1;
  const auto loaded = load_slots(slots[0], slots[1]);
  EXPECT_EQ(loaded.health, Health::BothDamaged);
  EXPECT_EQ(loaded.counters, Counters{});
}

// The file may end anywhere: slot 0 at 0, slot 1 at kSlotStride.
TEST(LoadSlots, EveryTruncation) {
  for (const std::uint64_t generation : {std::uint64_t{4}, std::uint64_t{5}}) {
    const auto slots = slots_after(generation);
    for (std::size_t length = 0; length <= kSlotSize; ++length) {
      // Slot 1 cut: slot 0 is whole.
      const auto cut1 = load_slots(slots[0], ByteView(slots[1]).first(length));
      const Counters from0 = sample(generation % 2 == 0 ? generation : generation - 1);
      EXPECT_EQ(cut1.counters, length == kSlotSize ? sample(generation) : with_gap(from0))
          << length;
      EXPECT_EQ(cut1.health, length == kSlotSize ? Health::Good : Health::OneDamaged) << length;
      // Slot 0 cut: slot 1 is gone.
      const auto cut0 = load_slots(ByteView(slots[0]).first(length), {});
      if (length == 0) {
        EXPECT_EQ(cut0.health, Health::Fresh);
      } else if (length < kSlotSize) {
        EXPECT_EQ(cut0.health, Health::BothDamaged) << length;
      } else {
        EXPECT_EQ(cut0.health, Health::OneDamaged);
        EXPECT_EQ(cut0.counters, with_gap(from0));
      }
    }
  }
}

TEST(LoadSlots, TheGapDoesNotWrap) {
  Counters c = sample(2);
  c.epoch = UINT64_MAX - 1;
  const SlotBytes slot = build_slot(c);
  EXPECT_EQ(load_slots(slot, {}).counters.epoch, UINT64_MAX);
}

}  // namespace
}  // namespace wattle::keys
