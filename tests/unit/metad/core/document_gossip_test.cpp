// DocumentGossip by itself: windows, bounds, limits, and who is asked next.
#include "metad/core/document_gossip.h"

#include <gtest/gtest.h>

#include "common/proto/genesis.h"

namespace wattle::metad::test {
namespace {

using Ask = DocumentGossip::Ask;
using Part = DocumentGossip::Part;
using std::chrono::seconds;

struct GossipTest : testing::Test {
  Instant now{seconds(100)};
  DocumentGossip asker, holder;
  std::string text = std::string(50'000, 'x') + std::string(20'001, 'y');

  // Answers one Ask; what the last part came to.
  Part serve(const Ask& ask) {
    Part last = Part::Unasked;
    for (const DocumentPart& part : holder.answer(9, text, ask.from, now))
      last = asker.part(ask.link, ask.version, part.offset, text.size(), as_bytes(part.bytes), now);
    return last;
  }
  Part give(LinkId link, std::uint64_t version, std::uint64_t offset, std::uint64_t total,
            std::size_t size) {
    return asker.part(link, version, offset, total, Bytes(size, 'x'), now);
  }
};

TEST_F(GossipTest, ALongDocumentComesInWindowsAndWhole) {
  asker.told(1, 8);
  std::size_t asked = 0;
  Part last = Part::Taken;
  while (last == Part::Taken) {
    const auto asks = asker.due(now);
    ASSERT_EQ(asks.size(), 1u);
    EXPECT_EQ(asks[0].from, asked * DocumentGossip::kPart * DocumentGossip::kWindow);
    ++asked;
    ASSERT_EQ(holder.answer(1, text, asks[0].from, now).size() <= DocumentGossip::kWindow, true);
    last = serve(asks[0]);
  }
  ASSERT_EQ(last, Part::Whole);
  EXPECT_EQ(asked, 5u) << "70001 bytes in windows of 16800";
  EXPECT_EQ(asker.take(1), text);
  asker.in_force(8);
  EXPECT_TRUE(asker.due(now).empty());
  EXPECT_EQ(asker.next_deadline(), kNever);
}

TEST_F(GossipTest, OnlyANewerVersionIsAskedForAndOfOneNeighbour) {
  asker.in_force(5);
  asker.told(1, 4);
  asker.told(2, 5);
  EXPECT_TRUE(asker.due(now).empty());
  EXPECT_EQ(asker.next_deadline(), kNever);
  asker.told(1, 6);
  asker.told(2, 6);
  EXPECT_EQ(asker.due(now), (std::vector<Ask>{{1, 6, 0}}));
  EXPECT_TRUE(asker.due(now).empty()) << "asked once";
  asker.told(2, 7);
  EXPECT_EQ(asker.due(now), (std::vector<Ask>{{2, 7, 0}})) << "another version: at the same time";
  asker.in_force(7);
  EXPECT_EQ(give(1, 6, 0, 10, 5), Part::Unasked) << "what is old by now is over";
}

TEST_F(GossipTest, TheOtherNeighbourIsAskedWhenOneIsSilent) {
  asker.told(1, 6);
  asker.told(2, 6);
  EXPECT_EQ(asker.due(now), (std::vector<Ask>{{1, 6, 0}}));
  EXPECT_EQ(asker.next_deadline(), now + DocumentGossip::kPartLimit);
  now += DocumentGossip::kPartLimit;
  EXPECT_EQ(asker.due(now), (std::vector<Ask>{{2, 6, 0}}));
  asker.link_down(2);
  EXPECT_TRUE(asker.due(now).empty()) << "link 1 waits";
  EXPECT_EQ(asker.next_deadline(), now + DocumentGossip::kFirstBackOff);
  now += DocumentGossip::kFirstBackOff;
  EXPECT_EQ(asker.due(now), (std::vector<Ask>{{1, 6, 0}}));
}

TEST_F(GossipTest, ADripEndsAfterTheWholeLimit) {
  asker.told(1, 6);
  asker.due(now);
  const Instant end = now + DocumentGossip::kWholeLimit;
  for (std::uint64_t at = 0; now < end; ++at) {
    EXPECT_EQ(give(1, 6, at, kMaxDocument, 1), Part::Taken);
    now += seconds(4);
    asker.due(now);
  }
  EXPECT_EQ(give(1, 6, 30, kMaxDocument, 1), Part::Unasked);
}

TEST_F(GossipTest, PartsThatCannotBeEndTheTransfer) {
  const auto fresh = [&](LinkId link) {
    asker.told(link, link);
    ASSERT_EQ(asker.due(now), (std::vector<Ask>{{link, link, 0}}));
  };
  fresh(11);
  EXPECT_EQ(give(11, 11, 0, 0, 1), Part::Wrong) << "nothing at all";
  fresh(12);
  EXPECT_EQ(give(12, 12, 0, kMaxDocument + 1, 10), Part::Wrong) << "too long";
  EXPECT_EQ(give(12, 12, 0, 100, 10), Part::Unasked) << "over is over";
  fresh(13);
  EXPECT_EQ(give(13, 13, 0, 100, 10), Part::Taken);
  EXPECT_EQ(give(13, 13, 10, 99, 10), Part::Wrong) << "another length";
  fresh(14);
  EXPECT_EQ(give(14, 14, 0, 10, 11), Part::Wrong) << "beyond its end";
  fresh(15);
  EXPECT_EQ(give(15, 15, 5, 10, 5), Part::Unasked) << "not the next byte";
  EXPECT_EQ(give(15, 14, 0, 10, 5), Part::Unasked) << "another version";
  EXPECT_EQ(give(16, 15, 0, 10, 5), Part::Unasked) << "another link";
  EXPECT_EQ(give(15, 15, 0, 10, 10), Part::Whole);
  EXPECT_EQ(give(15, 15, 10, 10, 1), Part::Unasked) << "it is whole";
}

TEST_F(GossipTest, ARefusedVersionIsNotAskedOfThatLinkAgain) {
  asker.told(1, 6);
  asker.due(now);
  ASSERT_EQ(give(1, 6, 0, 4, 4), Part::Whole);
  asker.take(1);
  asker.refused(1, 6);
  asker.told(1, 6);
  EXPECT_TRUE(asker.due(now).empty());
  asker.told(2, 6);
  EXPECT_EQ(asker.due(now), (std::vector<Ask>{{2, 6, 0}}));
  asker.told(1, 7);
  EXPECT_EQ(asker.due(now), (std::vector<Ask>{{1, 7, 0}}));
}

TEST_F(GossipTest, EightTransfersAndNoMore) {
  for (LinkId link = 1; link <= 20; ++link) asker.told(link, 100 + link);
  const auto asks = asker.due(now);
  ASSERT_EQ(asks.size(), DocumentGossip::kMaxTransfers);
  for (const Ask& ask : asks) EXPECT_GT(ask.version, 112u) << "the newest first";
  now += DocumentGossip::kPartLimit;
  for (const Ask& ask : asker.due(now)) EXPECT_LE(ask.version, 112u) << "the silent ones come last";
}

TEST_F(GossipTest, AnswersAreBounded) {
  EXPECT_TRUE(holder.answer(1, text, text.size(), now).empty());
  EXPECT_TRUE(holder.answer(1, text, UINT64_MAX, now).empty());
  const auto last = holder.answer(1, text, text.size() - 1, now);
  ASSERT_EQ(last.size(), 1u);
  EXPECT_EQ(last[0].bytes, "y");
  int answered = 0;
  for (int i = 0; i < 200; ++i) answered += holder.answer(2, text, 0, now).empty() ? 0 : 1;
  EXPECT_EQ(answered, 64);
  now += seconds(1);
  EXPECT_FALSE(holder.answer(2, text, 0, now).empty());
}

}  // namespace
}  // namespace wattle::metad::test
