// The rules, and what the routing engine selects.
#include "metad/core/route_rules.h"
#include "tests/unit/metad/core/router_fixture.h"

namespace wattle::metad::test {
namespace {

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

}  // namespace
}  // namespace wattle::metad::test
