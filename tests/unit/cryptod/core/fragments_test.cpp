#include "cryptod/core/fragments.h"

#include <gtest/gtest.h>
#include <algorithm>
#include <random>

namespace wattle::cryptod {
namespace {

using Verdict = Reassembly::Verdict;

Bytes numbered(std::size_t size, std::uint8_t from = 0) {
  Bytes out(size);
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<std::uint8_t>(from + i * 7);
  return out;
}

Bytes fragment(InnerType type, std::size_t index, std::size_t count, ByteView part) {
  Bytes out(kFragmentHeader);
  write_fragment({type, static_cast<std::uint8_t>(index), static_cast<std::uint8_t>(count)}, out);
  out.insert(out.end(), part.begin(), part.end());
  return out;
}

std::vector<Bytes> cut(const Bytes& whole, std::size_t room, InnerType type = InnerType::Frame) {
  const std::size_t part = fragment_size(whole.size(), room);
  std::vector<Bytes> out;
  const std::size_t count = (whole.size() + part - 1) / part;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(
        fragment(type, i, count,
                 ByteView(whole).subspan(i * part, std::min(part, whole.size() - i * part))));
  return out;
}

TEST(Fragments, AreOfEqualSizeAndFit) {
  EXPECT_EQ(fragment_size(1502, 1423), 751u);
  EXPECT_EQ(fragment_size(9018, 1203), 1128u);  // eight of them
  EXPECT_EQ(fragment_size(9018, 600), 564u);    // sixteen
  EXPECT_EQ(fragment_size(9018, 500), 0u);
  EXPECT_EQ(fragment_size(100, 2), 0u);
  EXPECT_EQ(fragment_size(0, 1000), 0u);
  for (std::size_t size = 1; size < 9018; size += 13) {
    const std::size_t part = fragment_size(size, 1177);
    EXPECT_LE(part + kFragmentHeader, 1177u);
    EXPECT_LE((size + part - 1) / part, kMostFragments);
  }
}

TEST(Fragments, ComeTogetherInAnyOrder) {
  std::mt19937 random(3);
  Reassembly all;
  std::uint64_t counter = 5;
  for (int round = 0; round < 500; ++round) {
    const Bytes whole = numbered(600 + random() % 8000, static_cast<std::uint8_t>(round));
    const std::vector<Bytes> parts = cut(whole, 590 + random() % 900, InnerType::Unsummed);
    std::vector<std::size_t> order(parts.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::shuffle(order.begin(), order.end(), random);
    if (parts.size() < 2) continue;
    for (std::size_t n = 0; n < order.size(); ++n) {
      const auto added = all.add(77, counter + order[n], parts[order[n]]);
      EXPECT_FALSE(added.forgotten);
      if (n + 1 < order.size()) {
        ASSERT_EQ(added.verdict, Verdict::Kept);
        continue;
      }
      ASSERT_EQ(added.verdict, Verdict::Whole);
      EXPECT_EQ(added.type, InnerType::Unsummed);
      EXPECT_TRUE(equal(added.body, whole));
    }
    counter += parts.size();
  }
}

TEST(Fragments, OfSeveralSessionsAndFramesDoNotMix) {
  Reassembly all;
  const Bytes one = numbered(1502, 1), two = numbered(1502, 2), three = numbered(1502, 3);
  const auto a = cut(one, 1000), b = cut(two, 1000), c = cut(three, 1000);
  EXPECT_EQ(all.add(1, 10, a[0]).verdict, Verdict::Kept);
  EXPECT_EQ(all.add(2, 10, b[0]).verdict, Verdict::Kept);
  EXPECT_EQ(all.add(1, 12, c[0]).verdict, Verdict::Kept);
  EXPECT_TRUE(equal(all.add(1, 13, c[1]).body, three));
  EXPECT_TRUE(equal(all.add(2, 11, b[1]).body, two));
  EXPECT_TRUE(equal(all.add(1, 11, a[1]).body, one));
}

TEST(Fragments, OneSessionHasAShareOnly) {
  Reassembly all;
  const Bytes kept = numbered(1502, 9);
  const auto parts = cut(kept, 1000);
  EXPECT_EQ(all.add(2, 0, parts[0]).verdict, Verdict::Kept);
  const Bytes begun = fragment(InnerType::Frame, 0, 2, numbered(700));
  std::size_t forgotten = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) forgotten += all.add(1, 2 * i, begun).forgotten ? 1 : 0;
  EXPECT_EQ(forgotten, 1000 - Reassembly::kPerPeer);
  const auto added = all.add(2, 1, parts[1]);
  ASSERT_EQ(added.verdict, Verdict::Whole);
  EXPECT_TRUE(equal(added.body, kept));
}

TEST(Fragments, TheOldestMakesRoom) {
  Reassembly all;
  const Bytes begun = fragment(InnerType::Frame, 0, 2, numbered(700));
  const Bytes rest = fragment(InnerType::Frame, 1, 2, numbered(500));
  for (std::uint32_t s = 0; s < Reassembly::kSlots; ++s)
    EXPECT_FALSE(all.add(s, 0, begun).forgotten);
  EXPECT_TRUE(all.add(1000, 0, begun).forgotten);
  EXPECT_EQ(all.add(1, 1, rest).verdict, Verdict::Whole);
  EXPECT_EQ(all.add(0, 1, rest).verdict, Verdict::Kept);  // its beginning is forgotten
}

struct Malformed : ::testing::Test {
  Verdict after(const std::vector<std::pair<std::uint64_t, Bytes>>& parts) {
    Verdict last = Verdict::Kept;
    for (const auto& [counter, body] : parts) last = all.add(1, counter, body).verdict;
    return last;
  }
  Reassembly all;
};

TEST_F(Malformed, Headers) {
  EXPECT_EQ(after({{0, {}}}), Verdict::Malformed);
  EXPECT_EQ(after({{0, Bytes{1}}}), Verdict::Malformed);
  EXPECT_EQ(after({{0, Bytes{1, 0x01}}}), Verdict::Malformed);     // nothing in it
  EXPECT_EQ(after({{5, Bytes{1, 0x21, 7}}}), Verdict::Malformed);  // third of two
  EXPECT_EQ(after({{0, Bytes{1, 0x00, 7}}}), Verdict::Malformed);  // first of one
  for (int type : {0, 3, 4, 5, 6, 7, 8, 10, 11, 255})
    EXPECT_EQ(after({{0, Bytes{static_cast<std::uint8_t>(type), 0x01, 7}}}), Verdict::Malformed)
        << type;
  EXPECT_EQ(after({{0, Bytes{1, 0x11, 7}}}), Verdict::Malformed);  // before counter 0
}

TEST_F(Malformed, PartsThatDoNotFit) {
  const auto part = [](std::size_t index, std::size_t count, std::size_t size) {
    return fragment(InnerType::Frame, index, count, numbered(size));
  };
  EXPECT_EQ(after({{0, part(0, 3, 100)}, {1, part(1, 3, 99)}}), Verdict::Malformed);
  EXPECT_EQ(after({{10, part(0, 2, 100)}, {11, part(1, 2, 101)}}), Verdict::Malformed);
  EXPECT_EQ(after({{21, part(1, 2, 101)}, {20, part(0, 2, 100)}}), Verdict::Malformed);
  EXPECT_EQ(after({{30, part(0, 16, 602)}}), Verdict::Malformed);  // 15 of them are too long
  EXPECT_EQ(after({{40, part(0, 16, 601)}}), Verdict::Kept);       // 9015 and the last
  EXPECT_EQ(after({{55, part(15, 16, 4)}}), Verdict::Malformed);   // one byte too many
  EXPECT_EQ(after({{60, part(0, 3, 100)}, {61, part(1, 4, 100)}}), Verdict::Malformed);
  EXPECT_EQ(
      after({{70, part(0, 3, 100)}, {71, fragment(InnerType::FullFrame, 1, 3, numbered(100))}}),
      Verdict::Malformed);
}

}  // namespace
}  // namespace wattle::cryptod
