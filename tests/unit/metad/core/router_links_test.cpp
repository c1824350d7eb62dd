// Adjacencies: the first dump, END and its barrier, held links, incarnations, a restart.
#include <gtest/gtest.h>

#include "tests/unit/metad/core/router_net.h"

namespace wattle::metad::test {
namespace {

using namespace std::chrono_literals;
using State = TableEntry::State;

class RouterLinks : public ::testing::Test {
 protected:
  Instant now{1000s};
  Router router{Router::Config{node(1), true}};
  std::vector<RouterAction> said;

  void SetUp() override { router.own_seqno(5, now); }
  void pass(Duration time) {
    const Instant end = now + time;
    for (RouterAction& action : router.take()) said.push_back(action);
    for (Instant next = router.next_deadline(); next <= end; next = router.next_deadline()) {
      now = std::max(now, next);
      router.tick(now);
      for (RouterAction& action : router.take()) said.push_back(action);
    }
    now = end;
  }
  template <typename T>
  std::vector<T> heard() {
    for (RouterAction& action : router.take()) said.push_back(action);
    auto out = all_of<T>(said);
    std::erase_if(said, [](const RouterAction& a) { return std::holds_alternative<T>(a); });
    return out;
  }
  void up(LinkId link, unsigned neighbour, std::uint64_t incarnation = 9) {
    router.link_up(link, node(neighbour), incarnation, now);
    pass(0s);
  }
  void answer() {
    for (const AskBarrier& a : heard<AskBarrier>()) {
      router.barrier_answer(a.link, a.number, now);
    }
  }
  void connect(LinkId link, unsigned neighbour, std::uint64_t incarnation = 9) {
    router.cost(node(neighbour), 96, now);
    up(link, neighbour, incarnation);
    router.link_synced(link, now);
    answer();
  }
  State state(unsigned destination) { return router.entry(node(destination)).state; }
  TableEntry held_entry(unsigned next_hop, Metric metric, Metric feasibility) {
    TableEntry entry;
    entry.state = State::Reachable;
    entry.feasibility = {7, feasibility};
    entry.chosen = {7, metric};
    entry.next_hop = node(next_hop);
    return entry;
  }
};

TEST_F(RouterLinks, TheFirstDumpIsClosedByEndAndABarrier) {
  connect(2, 2);
  router.update(2, node(50), {7, 100}, now);
  pass(1s);
  said.clear();
  router.cost(node(3), 96, now);
  up(3, 3);
  std::vector<std::string> order;
  for (const RouterAction& action : said) {
    if (const auto* a = std::get_if<Announce>(&action)) {
      EXPECT_EQ(a->link, 3u);
      order.push_back(a->destination == node(1) ? "own" : "route");
    }
    if (std::holds_alternative<SendEnd>(action)) order.push_back("end");
    if (std::holds_alternative<AskBarrier>(action)) order.push_back("barrier");
  }
  EXPECT_EQ(order, (std::vector<std::string>{"own", "route", "end", "barrier"}));
}

TEST_F(RouterLinks, RoutesCountOnlyAfterTheirEndAndTheirAnswer) {
  router.cost(node(2), 96, now);
  up(2, 2);
  router.update(2, node(50), {7, 100}, now);
  EXPECT_EQ(state(50), State::Forgotten);
  router.link_synced(2, now);
  EXPECT_EQ(state(50), State::Forgotten) << "2 may hold something of a past life of ours";
  EXPECT_TRUE(router.neighbours().empty());
  EXPECT_EQ(router.ways(node(50)), std::vector<NodeAddress>{node(2)})
      << "to ask, it is good enough";
  answer();
  EXPECT_EQ(state(50), State::Reachable);
  EXPECT_EQ(router.neighbours(), std::set<NodeAddress>{node(2)});
  EXPECT_EQ(heard<NeighboursChanged>().size(), 1u);
}

TEST_F(RouterLinks, EndAndAnswersWaitForCryptod) {
  router.cryptod(true, now);
  connect(2, 2);
  router.update(2, node(50), {7, 100}, now);
  pass(1s);
  heard<SendEnd>();
  router.barrier_asked(2, 77, now);
  EXPECT_TRUE(heard<AnswerBarrier>().empty());
  router.cost(node(3), 96, now);
  up(3, 3);
  pass(1s);
  EXPECT_TRUE(heard<SendEnd>().empty());
  router.acknowledged(router.entry(node(50)).ticket, now);
  pass(0s);
  EXPECT_EQ(heard<SendEnd>().size(), 1u);
  const auto answers = heard<AnswerBarrier>();
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].number, 77u);
  router.barrier_asked(2, 78, now);
  EXPECT_EQ(heard<AnswerBarrier>().size(), 1u) << "nothing waits";
}

TEST_F(RouterLinks, UnansweredQuestionsAreBounded) {
  router.cryptod(true, now);
  connect(2, 2);
  router.update(2, node(50), {7, 100}, now);
  for (std::uint64_t i = 0; i < 1000; ++i) router.barrier_asked(2, i, now);
  router.acknowledged(router.entry(node(50)).ticket, now);
  EXPECT_EQ(heard<AnswerBarrier>().size(), 8u);
}

TEST_F(RouterLinks, AHeldLinkKeepsItsRoutesForTenSeconds) {
  connect(2, 2);
  router.update(2, node(50), {7, 100}, now);
  pass(1s);
  router.link_down(2, true, now);
  EXPECT_TRUE(router.is_held(node(2)));
  EXPECT_EQ(state(50), State::Reachable);
  EXPECT_TRUE(router.candidates(node(50))[0].held);
  EXPECT_TRUE(router.ways(node(50)).empty()) << "nobody is there to be asked";
  pass(9900ms);
  EXPECT_EQ(state(50), State::Reachable);
  pass(200ms);
  EXPECT_EQ(state(50), State::Unreachable);
  EXPECT_TRUE(router.neighbours().empty());
  const auto history = router.history(node(50));
  ASSERT_GE(history.size(), 2u);
  EXPECT_EQ(history[history.size() - 2].what, RouteEvent::What::HeldEnded);
}

TEST_F(RouterLinks, WithoutHoldOrWithADeadPathNothingIsKept) {
  connect(2, 2);
  router.update(2, node(50), {7, 100}, now);
  pass(1s);
  router.link_down(2, false, now);
  EXPECT_EQ(state(50), State::Unreachable);
  connect(3, 3);
  router.update(3, node(51), {7, 100}, now);
  pass(1s);
  router.link_down(3, true, now);
  EXPECT_EQ(state(51), State::Reachable);
  router.cost(node(3), kUnreachable, now);
  EXPECT_EQ(state(51), State::Unreachable);
}

TEST_F(RouterLinks, TheSameIncarnationIsSweptAtItsEnd) {
  connect(2, 2);
  router.update(2, node(50), {7, 100}, now);
  router.update(2, node(51), {7, 100}, now);
  router.link_down(2, true, now);
  up(22, 2, 9);
  router.update(22, node(50), {7, 120}, now);
  EXPECT_EQ(state(51), State::Reachable);
  EXPECT_EQ(router.entry(node(50)).next_hop, node(2));
  router.link_synced(22, now);
  EXPECT_EQ(state(50), State::Reachable) << "at once: we have been together all along";
  EXPECT_EQ(state(51), State::Unreachable) << "not repeated";
  EXPECT_FALSE(router.is_held(node(2)));
}

TEST_F(RouterLinks, AnotherIncarnationFlushesAtOnce) {
  connect(2, 2);
  router.update(2, node(50), {7, 100}, now);
  pass(1s);
  up(22, 2, 10);
  EXPECT_EQ(state(50), State::Unreachable) << "also what the old link, not yet closed, has told";
  EXPECT_TRUE(router.neighbours().empty());
  connect(3, 3, 0);
  router.update(3, node(51), {7, 100}, now);
  pass(1s);
  router.link_down(3, true, now);
  up(33, 3, 0);
  EXPECT_EQ(state(51), State::Unreachable) << "none is never the same";
}

TEST_F(RouterLinks, ANewLinkTakesOverWithoutAGap) {
  connect(2, 2);
  router.update(2, node(50), {7, 100}, now);
  pass(1s);
  heard<TableChanged>();
  up(22, 2);
  router.update(22, node(50), {7, 100}, now);
  router.link_synced(22, now);
  router.link_down(2, true, now);
  pass(20s);
  EXPECT_EQ(state(50), State::Reachable);
  EXPECT_TRUE(heard<TableChanged>().empty()) << "cryptod sees nothing of it";
  EXPECT_TRUE(heard<NeighboursChanged>().size() <= 1);
  // The newer one closes instead: what the older one tells counts again.
  up(222, 2);
  router.link_synced(222, now);
  EXPECT_EQ(state(50), State::Unreachable) << "222 has told nothing";
  router.link_down(222, true, now);
  EXPECT_EQ(state(50), State::Reachable);
}

TEST_F(RouterLinks, ARestartStandsOnWhatCryptodKept) {
  router.restore(node(50), held_entry(2, 300, 296), now);
  TableEntry lost;
  lost.state = State::Unreachable;
  lost.feasibility = {7, 200};
  router.restore(node(51), lost, now);
  EXPECT_EQ(state(50), State::Reachable);
  EXPECT_EQ(router.entry(node(50)).feasibility, (Distance{7, 296}));
  EXPECT_EQ(router.neighbours(), std::set<NodeAddress>{node(2)});
  EXPECT_TRUE(router.is_held(node(2)));
  EXPECT_EQ(router.candidates(node(50))[0].link, 0u);

  router.cost(node(3), 96, now);
  up(3, 3);
  bool dumped = false;
  for (const RouterAction& action : said) {
    if (const auto* a = std::get_if<Announce>(&action)) {
      if (a->destination == node(50)) dumped = a->distance == Distance{7, 300};
    }
    const bool end = std::holds_alternative<SendEnd>(action);
    EXPECT_TRUE(!end || dumped) << "all of it before the END";
  }
  EXPECT_TRUE(dumped);
  router.link_synced(3, now);
  answer();
  EXPECT_EQ(router.update(3, node(51), {7, 200}, now), Router::Verdict::Unfeasible);
  EXPECT_EQ(router.update(3, node(50), {7, 296}, now), Router::Verdict::Unfeasible);
  EXPECT_EQ(router.update(3, node(50), {7, 295}, now), Router::Verdict::Stored);
  pass(9900ms);
  EXPECT_EQ(router.entry(node(50)).next_hop, node(2));
  pass(200ms);
  EXPECT_EQ(router.entry(node(50)).next_hop, node(3)) << "2 did not come back";
}

TEST_F(RouterLinks, ARestoredNeighbourIsSweptAtItsEnd) {
  router.restore(node(50), held_entry(2, 300, 300), now);
  router.restore(node(51), held_entry(2, 300, 300), now);
  router.cost(node(2), 96, now);
  up(2, 2);
  router.update(2, node(50), {7, 204}, now);
  EXPECT_EQ(state(51), State::Reachable);
  router.link_synced(2, now);
  EXPECT_EQ(state(50), State::Reachable);
  EXPECT_EQ(state(51), State::Unreachable);
}

TEST_F(RouterLinks, SilentBrokenRestoresAreHarmless) {
  router.restore(node(1), held_entry(2, 300, 300), now);
  router.restore(node(50), held_entry(1, 300, 300), now);
  router.restore(node(51), held_entry(2, 0, 0), now);
  router.restore(node(52), held_entry(2, kUnreachable, 10), now);
  EXPECT_TRUE(router.neighbours().empty());
  for (unsigned i : {50U, 51U, 52U}) EXPECT_NE(state(i), State::Reachable);
}

TEST_F(RouterLinks, ACopyLivesItsOwnLife) {
  connect(2, 2);
  router.update(2, node(50), {7, 100}, now);
  pass(1s);
  Router copy = router;
  copy.link_down(2, false, now);
  copy.tick(now + 300s);
  EXPECT_EQ(copy.entry(node(50)).state, State::Forgotten);
  EXPECT_EQ(state(50), State::Reachable);
  EXPECT_EQ(router.neighbours().size(), 1u);
}

}  // namespace
}  // namespace wattle::metad::test
