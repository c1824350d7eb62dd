// Node 1 alone, with neighbours that the test speaks for.
#pragma once

#include <gtest/gtest.h>

#include "metad/core/router.h"
#include "tests/unit/metad/core/router_net.h"

namespace wattle::metad::test {

using namespace std::chrono_literals;
using Verdict = Router::Verdict;
using State = TableEntry::State;

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

}  // namespace wattle::metad::test
