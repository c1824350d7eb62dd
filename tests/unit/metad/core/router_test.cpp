// Every rule of the routing engine by itself.
#include "metad/core/router.h"

#include <gtest/gtest.h>

#include "metad/core/route_rules.h"
#include "tests/unit/metad/core/router_net.h"

namespace wattle::metad::test {
namespace {

using namespace std::chrono_literals;
using Verdict = Router::Verdict;
using State = TableEntry::State;

TEST(RouteRules, FeasibleIsStrictlyBetter) {
  using route_rules::is_feasible;
  EXPECT_TRUE(is_feasible({7, 95}, {7, 96}));
  EXPECT_FALSE(is_feasible({7, 96}, {7, 96}));
  EXPECT_FALSE(is_feasible({7, 97}, {7, 96}));
  EXPECT_TRUE(is_feasible({8, 5000}, {7, 96}));
  EXPECT_FALSE(is_feasible({6, 1}, {7, 96}));
  EXPECT_TRUE(is_feasible({1, 1}, {7, kUnreachable})) << "no distance yet";
  EXPECT_FALSE(is_feasible({9, kUnreachable}, {7, 96}));
  EXPECT_TRUE(is_feasible({UINT64_MAX, 96}, {1, 96})) << "64 bits, no wrap";
}

TEST(RouteRules, EveryTieKeepsAnEntry) {
  using route_rules::may_collect;
  const Instant now(100s);
  EXPECT_TRUE(may_collect({false, 0, now}, now));
  EXPECT_FALSE(may_collect({true, 0, now}, now));
  EXPECT_FALSE(may_collect({false, 1, now}, now));
  EXPECT_FALSE(may_collect({false, 0, now + 1ns}, now));
}

TEST(RouteRules, OnlyWhoHasAnsweredIsUsed) {
  EXPECT_TRUE(route_rules::is_accepted(true, true));
  EXPECT_FALSE(route_rules::is_accepted(true, false));
  EXPECT_FALSE(route_rules::is_accepted(false, true));
}

// Node 1 with neighbours 2, 3, ... on links of the same numbers.
class RouterTest : public ::testing::Test {
 protected:
  Instant now{1000s};
  Router router{Router::Config{node(1), true}};
  std::vector<RouterAction> said;

  void SetUp() override { router.own_seqno(5, now); }
  void collect() {
    for (RouterAction& action : router.take()) said.push_back(action);
  }
  void pass(Duration time) {
    const Instant end = now + time;
    collect();
    for (Instant next = router.next_deadline(); next <= end; next = router.next_deadline()) {
      now = std::max(now, next);
      router.tick(now);
      collect();
    }
    now = end;
  }
  template <typename T>
  std::vector<T> heard() {  // since the last time
    collect();
    auto out = all_of<T>(said);
    std::erase_if(said, [](const RouterAction& a) { return std::holds_alternative<T>(a); });
    return out;
  }
  void answer(LinkId link) {
    for (const AskBarrier& a : heard<AskBarrier>()) {
      if (a.link == link) router.barrier_answer(link, a.number, now);
    }
  }
  void connect(unsigned neighbour, Metric cost = 96, std::uint64_t incarnation = 9) {
    connect_as(neighbour, neighbour, cost, incarnation);
  }
  void connect_as(LinkId link, unsigned neighbour, Metric cost = 96,
                  std::uint64_t incarnation = 9) {
    router.cost(node(neighbour), cost, now);
    router.link_up(link, node(neighbour), incarnation, now);
    pass(0s);
    router.link_synced(link, now);
    answer(link);
  }
  State state(unsigned destination) { return router.entry(node(destination)).state; }
  NodeAddress hop(unsigned destination) { return router.entry(node(destination)).next_hop; }
  Verdict tell(unsigned from, unsigned destination, std::uint64_t seqno, Metric metric) {
    return router.update(from, node(destination), {seqno, metric}, now);
  }
};

// ---- selection ----------------------------------------------------------------------------------

TEST_F(RouterTest, TakesTheBestAndTellsAll) {
  connect(2);
  connect(3);
  EXPECT_EQ(tell(2, 50, 7, 200), Verdict::Stored);
  pass(0s);
  EXPECT_EQ(router.entry(node(50)).chosen, (Distance{7, 296}));
  pass(1s);
  const auto told = heard<Announce>();
  std::set<LinkId> links;
  for (const Announce& a : told) {
    if (a.destination != node(50)) continue;
    links.insert(a.link);
    EXPECT_EQ(a.distance, (Distance{7, 296}));
    EXPECT_TRUE(a.with_record);
  }
  EXPECT_EQ(links, (std::set<LinkId>{2, 3})) << "the next hop, too: no split horizon";
}

TEST_F(RouterTest, ChangesOnlyAfterFourSecondsOfClearlyBetter) {
  connect(2);
  connect(3);
  tell(2, 50, 7, 200);
  tell(3, 50, 7, 100);
  EXPECT_EQ(hop(50), node(2));
  pass(3900ms);
  EXPECT_EQ(hop(50), node(2));
  pass(200ms);
  EXPECT_EQ(hop(50), node(3));
  EXPECT_EQ(router.history(node(50)).back().what, RouteEvent::What::Better);
  tell(2, 50, 7, 98);
  pass(20s);
  EXPECT_EQ(hop(50), node(3)) << "hardly better is not worth a change";
}

TEST_F(RouterTest, AWaveringAdvantageNeverChangesTheWay) {
  connect(2);
  connect(3);
  tell(2, 50, 7, 200);
  for (int i = 0; i < 10; ++i) {
    tell(3, 50, 7, 100);
    pass(3s);
    tell(3, 50, 7, 300);
    pass(1s);
  }
  EXPECT_EQ(hop(50), node(2));
}

TEST_F(RouterTest, TheAlternateIsAnotherFeasibleNeighbour) {
  connect(2);
  connect(3);
  connect(4);
  tell(2, 50, 7, 100);  // 196 from here
  EXPECT_FALSE(router.entry(node(50)).alternate);
  tell(3, 50, 7, 196);
  EXPECT_FALSE(router.entry(node(50)).alternate) << "196 is not better than our own 196";
  tell(4, 50, 7, 195);
  EXPECT_EQ(router.entry(node(50)).alternate, node(4));
  router.retraction(2, node(50), now);
  EXPECT_EQ(hop(50), node(4));
  EXPECT_FALSE(router.entry(node(50)).alternate);
  EXPECT_EQ(router.history(node(50)).back().what, RouteEvent::What::LostNextHop);
}

TEST_F(RouterTest, ASeqnoThatFallsIsDroppedAtOnce) {
  connect(2);
  tell(2, 50, 7, 100);
  pass(1s);
  EXPECT_EQ(tell(2, 50, 6, 1), Verdict::Unfeasible);
  EXPECT_EQ(state(50), State::Unreachable);
  pass(1s);
  EXPECT_EQ(heard<Retract>().size(), 1u);
  EXPECT_EQ(tell(2, 50, 7, 100), Verdict::Stored);
}

TEST_F(RouterTest, AMetricThatGrowsStaysFeasibleUntilARetraction) {
  connect(2);
  tell(2, 50, 7, 100);
  EXPECT_EQ(tell(2, 50, 7, 4000), Verdict::Stored);
  EXPECT_EQ(hop(50), node(2));
  EXPECT_EQ(router.entry(node(50)).feasibility, (Distance{7, 196}));
  pass(1s);
  router.retraction(2, node(50), now);
  EXPECT_EQ(tell(2, 50, 7, 4000), Verdict::Unfeasible) << "2 may have forgotten its 100 by now";
  EXPECT_EQ(state(50), State::Unreachable);
  EXPECT_EQ(tell(2, 50, 8, 4000), Verdict::Stored);
  EXPECT_EQ(router.entry(node(50)).feasibility, (Distance{8, 4096}));
}

TEST_F(RouterTest, ADataPathThatIsDownIsNoWay) {
  router.link_up(2, node(2), 9, now);
  pass(0s);
  router.link_synced(2, now);
  answer(2);
  tell(2, 50, 7, 100);
  EXPECT_EQ(state(50), State::Forgotten) << "the cost is not known yet";
  router.cost(node(2), 96, now);
  EXPECT_EQ(state(50), State::Reachable);
  router.cost(node(2), kUnreachable, now);
  EXPECT_EQ(state(50), State::Unreachable);
  router.cost(node(2), 300, now);
  EXPECT_EQ(router.entry(node(50)).chosen.metric, 400u);
}

TEST_F(RouterTest, NobodyHasAWayToUs) {
  connect(2);
  EXPECT_EQ(tell(2, 1, 3, 10), Verdict::Ignored);
  EXPECT_TRUE(heard<RaiseSeqno>().empty());
  EXPECT_EQ(tell(2, 1, 77, 10), Verdict::Ignored);
  EXPECT_EQ(heard<RaiseSeqno>().size(), 1u) << "a past life's seqno is higher";
}

TEST_F(RouterTest, TablesAreBounded) {
  connect(2);
  for (unsigned i = 0; i + 2 < Router::kMaxDestinations; ++i) {
    ASSERT_EQ(tell(2, 100 + i, 7, 100), Verdict::Stored) << i;
  }
  EXPECT_EQ(tell(2, 50000, 7, 100), Verdict::Stored);
  EXPECT_EQ(tell(2, 50001, 7, 100), Verdict::Full);
  EXPECT_EQ(router.destinations().size(), Router::kMaxDestinations - 1) << "and ourselves";
}

TEST_F(RouterTest, HistoriesAndLinksAreBounded) {
  connect(2);
  tell(2, 100, 7, 100);
  pass(1s);
  for (unsigned i = 0; i < 50; ++i) {
    router.retraction(2, node(100), now);
    tell(2, 100, 100 + i, 100);
  }
  EXPECT_EQ(router.history(node(100)).size(), Router::kHistory);
  for (LinkId i = 10; i < 10 + 2 * Router::kMaxLinks; ++i) {
    router.link_up(i, node(static_cast<unsigned>(60000 + i)), 9, now);
  }
  EXPECT_EQ(router.update(10 + 2 * Router::kMaxLinks - 1, node(100), {999, 1}, now),
            Verdict::Ignored);
}

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
