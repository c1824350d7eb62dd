// What the routing engine tells, when it forgets, whom it asks for a newer seqno.
#include "tests/unit/metad/core/router_fixture.h"

namespace wattle::metad::test {
namespace {

// ---- telling ------------------------------------------------------------------------------------

TEST_F(RouterTest, NothingLeavesBeforeCryptodHasTheDistance) {
  connect(2);
  connect(3);
  router.cryptod(true, now);
  heard<Announce>();
  tell(2, 50, 7, 100);
  const std::uint64_t first = router.entry(node(50)).ticket;
  pass(5s);
  EXPECT_TRUE(heard<Announce>().empty());
  tell(2, 50, 8, 300);
  const std::uint64_t second = router.entry(node(50)).ticket;
  EXPECT_NE(first, second);
  router.acknowledged(first, now);
  pass(1s);
  EXPECT_TRUE(heard<Announce>().empty()) << "an older line of the table";
  router.acknowledged(second, now);
  pass(1s);
  const auto told = heard<Announce>();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].distance, (Distance{8, 396}));
  tell(2, 50, 9, 100);
  pass(1s);
  EXPECT_TRUE(heard<Announce>().empty());
  router.cryptod(false, now);
  pass(1s);
  EXPECT_EQ(heard<Announce>().size(), 2u) << "without a cryptod nothing waits";
}

TEST_F(RouterTest, ARetractionDoesNotWait) {
  connect(2);
  router.cryptod(true, now);
  tell(2, 50, 7, 100);
  router.acknowledged(router.entry(node(50)).ticket, now);
  pass(1s);
  heard<Announce>();
  router.retraction(2, node(50), now);
  pass(0s);
  EXPECT_EQ(heard<Retract>().size(), 1u);
}

TEST_F(RouterTest, ARecordOncePerLinkAndSeqno) {
  connect(2);
  connect(3);
  tell(2, 50, 7, 100);
  pass(5s);
  heard<Announce>();
  tell(2, 50, 7, 104);
  pass(5s);
  EXPECT_TRUE(heard<Announce>().empty()) << "not worth a line";
  tell(2, 50, 7, 500);
  pass(1900ms);
  EXPECT_TRUE(heard<Announce>().empty()) << "a change of metric waits 2 s for others";
  pass(200ms);
  for (const Announce& a : heard<Announce>()) {
    EXPECT_EQ(a.distance, (Distance{7, 596}));
    EXPECT_FALSE(a.with_record);
  }
  connect(4);
  pass(1s);
  const auto told = heard<Announce>();
  ASSERT_EQ(told.size(), 2u) << "ourselves and 50, to the new one";
  EXPECT_TRUE(told[0].with_record && told[1].with_record);
}

TEST_F(RouterTest, NewsGoToAllAMereSeqnoOnlyToWhomItIsNeeded) {
  connect(2);
  connect(3);
  connect(4);
  tell(2, 50, 7, 100);
  pass(5s);
  heard<Announce>();
  router.seqno_request(3, node(50), 8, 64, now);
  router.update(2, node(50), {8, 100}, now, false);
  pass(1s);
  auto told = heard<Announce>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].link, 3u);
  EXPECT_EQ(told[0].distance.seqno, 8u);
  router.update(2, node(50), {9, 100}, now, true);
  pass(1s);
  EXPECT_EQ(heard<Announce>().size(), 3u);
  router.update(2, node(50), {10, 100}, now, false);
  pass(50s);
  EXPECT_TRUE(heard<Announce>().empty());
  pass(15s);
  EXPECT_EQ(heard<Announce>().size(), 3u) << "in the end all hear of it";
}

TEST_F(RouterTest, ADirtySetNotAQueue) {
  connect(2);
  connect(3);
  pass(1s);
  heard<Announce>();
  router.link_congested(3, true);
  for (std::uint64_t i = 1; i <= 100; ++i) {
    tell(2, 50, i, 100);
    tell(2, 51, i, 100);
    pass(300ms);
  }
  for (const Announce& a : heard<Announce>()) EXPECT_EQ(a.link, 2u);
  router.link_congested(3, false);
  pass(300ms);
  const auto told = heard<Announce>();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[0].distance.seqno, 100u);
}

TEST_F(RouterTest, ManyChangesWithinAMomentAreOneLine) {
  connect(2);
  tell(2, 50, 1, 100);
  pass(1s);
  heard<Announce>();
  for (std::uint64_t i = 2; i <= 20; ++i) {
    tell(2, 50, i, 100);
    pass(10ms);
  }
  pass(1s);
  EXPECT_LE(heard<Announce>().size(), 2u);
}

TEST_F(RouterTest, WithoutTransitOnlyOurselves) {
  router = Router(Router::Config{node(1), false});
  router.own_seqno(5, now);
  connect(2);
  connect(3);
  tell(2, 50, 7, 100);
  EXPECT_EQ(state(50), State::Reachable);
  pass(5s);
  for (const Announce& a : heard<Announce>()) EXPECT_EQ(a.destination, node(1));
  router.seqno_request(3, node(50), 8, 64, now);
  EXPECT_TRUE(heard<AskSeqno>().empty());
  EXPECT_EQ(router.entry(node(50)).feasibility.metric, kUnreachable) << "nobody relies on us";
}

// ---- collection ---------------------------------------------------------------------------------

TEST_F(RouterTest, AnEntryIsKeptUntilTheBarrierIsAnswered) {
  connect(2);
  tell(2, 50, 7, 100);
  pass(1s);
  router.retraction(2, node(50), now);
  pass(100s);
  EXPECT_EQ(state(50), State::Unreachable);
  EXPECT_EQ(tell(2, 50, 7, 196), Verdict::Unfeasible) << "the distance is still known";
  router.retraction(2, node(50), now);
  const auto asked = heard<AskBarrier>();
  ASSERT_EQ(asked.size(), 1u);
  router.barrier_answer(2, asked[0].number + 1, now);
  EXPECT_EQ(state(50), State::Unreachable) << "not what was asked";
  heard<TableChanged>();
  router.barrier_answer(2, asked[0].number, now);
  EXPECT_TRUE(router.destinations().empty());
  EXPECT_EQ(state(50), State::Forgotten);
  EXPECT_EQ(heard<TableChanged>().size(), 1u);
  EXPECT_EQ(tell(2, 50, 7, 196), Verdict::Stored);
}

TEST_F(RouterTest, ABarrierAskedBeforeTheRetractionDoesNotCount) {
  connect(2);
  tell(2, 50, 7, 100);
  tell(2, 51, 7, 100);
  pass(1s);
  router.retraction(2, node(51), now);
  pass(2s);
  const auto first = heard<AskBarrier>();
  ASSERT_EQ(first.size(), 1u);
  router.retraction(2, node(50), now);
  pass(2s);
  EXPECT_TRUE(heard<AskBarrier>().empty()) << "one at a time";
  router.barrier_answer(2, first[0].number, now);
  EXPECT_EQ(router.destinations(), std::vector<NodeAddress>{node(50)});
  pass(2s);
  answer(2);
  EXPECT_TRUE(router.destinations().empty());
}

TEST_F(RouterTest, AnUnusedRouteKeepsAnEntry) {
  connect(2);
  connect(3);
  tell(2, 50, 7, 100);
  pass(1s);
  tell(3, 50, 7, 300);
  router.retraction(2, node(50), now);
  for (int i = 0; i < 100; ++i) {
    pass(3s);
    for (const AskBarrier& a : heard<AskBarrier>()) router.barrier_answer(a.link, a.number, now);
  }
  EXPECT_EQ(state(50), State::Unreachable);
  EXPECT_EQ(router.entry(node(50)).feasibility, (Distance{7, 196}));
}

TEST_F(RouterTest, ALinkThatEndsUnansweredBindsFor200Seconds) {
  connect(2);
  connect(3);
  tell(2, 50, 7, 100);
  pass(1s);
  router.link_down(3, false, now);
  router.retraction(2, node(50), now);
  pass(2s);
  answer(2);
  EXPECT_EQ(state(50), State::Unreachable);
  pass(197s);
  EXPECT_EQ(state(50), State::Unreachable);
  pass(2s);
  EXPECT_EQ(state(50), State::Forgotten);
}

// ---- seqno requests -----------------------------------------------------------------------------

TEST_F(RouterTest, RequestsAreAnsweredForwardedAndSuppressed) {
  connect(2);
  connect(3);
  connect(4);
  tell(2, 50, 7, 100);
  pass(1s);
  heard<Announce>();
  router.seqno_request(3, node(50), 7, 64, now);
  EXPECT_TRUE(heard<AskSeqno>().empty()) << "ours is new enough, and 3 has been told";
  router.seqno_request(3, node(50), 8, 64, now);
  auto asked = heard<AskSeqno>();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].link, 2u);
  EXPECT_EQ(asked[0].seqno, 8u);
  EXPECT_EQ(asked[0].hops, 63u);
  pass(200ms);
  router.seqno_request(4, node(50), 8, 20, now);
  EXPECT_TRUE(heard<AskSeqno>().empty()) << "the same question";
  router.seqno_request(4, node(50), 9, 1, now);
  EXPECT_TRUE(heard<AskSeqno>().empty()) << "no hop left";
  router.seqno_request(4, node(50), 9, 2, now);
  EXPECT_EQ(heard<AskSeqno>().size(), 1u);
  pass(2s);
  router.seqno_request(4, node(50), 9, 7, now);
  asked = heard<AskSeqno>();
  ASSERT_EQ(asked.size(), 1u) << "asked again, as it was not answered";
  EXPECT_EQ(asked[0].hops, 6u);
  router.update(2, node(50), {9, 100}, now, false);
  pass(1s);
  std::set<LinkId> told;
  for (const Announce& a : heard<Announce>()) told.insert(a.link);
  EXPECT_EQ(told, (std::set<LinkId>{3, 4})) << "both that had asked";
}

TEST_F(RouterTest, ARequestNeverGoesBackAndMayUseAnUnfeasibleWay) {
  connect(2);
  connect(3);
  tell(2, 50, 7, 100);
  pass(1s);
  router.seqno_request(2, node(50), 8, 64, now);
  EXPECT_TRUE(heard<AskSeqno>().empty()) << "nobody but the asker has a way";
  tell(3, 50, 7, 900);
  router.seqno_request(2, node(50), 8, 64, now);
  const auto asked = heard<AskSeqno>();
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].link, 3u);
}

TEST_F(RouterTest, WeRaiseOurSeqnoWhenAsked) {
  connect(2);
  pass(1s);
  heard<Announce>();
  router.seqno_request(2, node(1), 5, 64, now);
  EXPECT_TRUE(heard<RaiseSeqno>().empty());
  router.seqno_request(2, node(1), 6, 64, now);
  auto raised = heard<RaiseSeqno>();
  ASSERT_EQ(raised.size(), 1u);
  EXPECT_EQ(raised[0].seqno, 6u);
  for (int i = 0; i < 100; ++i) router.seqno_request(2, node(1), UINT64_MAX, 64, now);
  EXPECT_TRUE(heard<RaiseSeqno>().empty()) << "two a second at most";
  router.own_seqno(6, now, false);
  pass(1s);
  const auto told = heard<Announce>();
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].distance, (Distance{6, 0}));
}

TEST_F(RouterTest, AsksWhenOnlyUnfeasibleOnesAreLeftWithBackOff) {
  connect(2);
  connect(3);
  tell(2, 50, 7, 100);
  pass(1s);
  tell(3, 50, 7, 900);
  router.link_down(2, false, now);
  pass(0s);
  EXPECT_EQ(state(50), State::Unreachable);
  ASSERT_EQ(heard<AskSeqno>().size(), 1u);
  EXPECT_EQ(router.history(node(50)).back().what, RouteEvent::What::AskedSeqno);
  pass(100s);
  const auto again = heard<AskSeqno>().size();
  EXPECT_GE(again, 5u);
  EXPECT_LE(again, 12u);
  tell(3, 50, 8, 900);
  EXPECT_EQ(hop(50), node(3));
  pass(100s);
  EXPECT_TRUE(heard<AskSeqno>().empty());
}

}  // namespace
}  // namespace wattle::metad::test
