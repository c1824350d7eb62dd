// Small networks of routers: what they find, how they heal, whom they ask.
#include <gtest/gtest.h>

#include "tests/unit/metad/core/router_net.h"

namespace wattle::metad::test {
namespace {

using namespace std::chrono_literals;

TEST(RouterNet, ALineReachesItsEnds) {
  RouterNet net;
  for (unsigned i = 1; i <= 5; ++i) net.add(i);
  for (unsigned i = 1; i < 5; ++i) net.join(i, i + 1);
  net.run(3s);
  for (unsigned a = 1; a <= 5; ++a) {
    for (unsigned b = 1; b <= 5; ++b) {
      if (a == b) continue;
      EXPECT_EQ(net.hop(a, b), a < b ? a + 1 : a - 1) << a << " to " << b;
    }
  }
  EXPECT_EQ(net[1].entry(node(5)).chosen, (Distance{7, 4 * 96}));
}

// protocols.md 5.3: A - B - C and A - C; the link A - B ends.
TEST(RouterNet, TheWorkedExample) {
  RouterNet net;
  const unsigned a = 1, b = 2, c = 3;
  for (unsigned i : {a, b, c}) net.add(i);
  net.join(a, b);
  net.join(b, c);
  net.join(a, c);
  net.run(5s);
  EXPECT_EQ(net[b].entry(node(a)).feasibility, (Distance{7, 96}));
  EXPECT_EQ(net[c].entry(node(a)).feasibility, (Distance{7, 96}));
  EXPECT_EQ(net.raises, 0u);
  net.log.clear();

  net.part(a, b);
  EXPECT_EQ(net.hop(b, a), 0u) << "C's 96 is not better than B's own 96";
  net.run(2s);
  EXPECT_EQ(net.hop(b, a), c);
  EXPECT_EQ(net[b].entry(node(a)).chosen, (Distance{8, 192}));
  EXPECT_EQ(net[b].entry(node(a)).feasibility, (Distance{8, 192}));
  EXPECT_GE(net.raises, 1u);
  bool asked = false;
  for (const auto& [number, action] : net.log) {
    const auto* ask = std::get_if<AskSeqno>(&action);
    if (!ask || number != b || ask->destination != node(a)) continue;
    asked = true;
    EXPECT_EQ(ask->seqno, 8u);
    EXPECT_EQ(ask->hops, Router::kSeqnoHops);
  }
  EXPECT_TRUE(asked);
}

TEST(RouterNet, AGrowingMetricBreaksNoWay) {
  RouterNet net;
  for (unsigned i = 1; i <= 3; ++i) net.add(i);
  net.join(1, 2);
  net.join(2, 3);
  net.run(3s);
  net.log.clear();
  net[2].cost(node(3), 5000, net.now);
  for (int i = 0; i < 50; ++i) {
    net.run(100ms);
    ASSERT_EQ(net.hop(1, 3), 2u);
    ASSERT_EQ(net.hop(2, 3), 3u);
  }
  EXPECT_EQ(net[1].entry(node(3)).chosen.metric, 5096u);
  EXPECT_EQ(net[1].entry(node(3)).feasibility.metric, 192u) << "it never gets worse";
  for (const auto& [number, action] : net.log)
    EXPECT_FALSE(std::holds_alternative<Retract>(action));
}

TEST(RouterNet, WhatIsGoneIsForgottenEverywhere) {
  RouterNet net;
  for (unsigned i = 1; i <= 4; ++i) net.add(i);
  for (unsigned i = 1; i < 4; ++i) net.join(i, i + 1);
  net.run(3s);
  net.part(3, 4);
  net.run(5s);
  EXPECT_EQ(net.hop(1, 4), 0u);
  EXPECT_EQ(net[1].destinations(), (std::vector<NodeAddress>{node(2), node(3)}));
  EXPECT_EQ(net[3].destinations().size(), 3u) << "its link to 4 ended without a barrier";
  net.run(200s);
  EXPECT_EQ(net[3].destinations(), (std::vector<NodeAddress>{node(1), node(2)}));
  net.join(3, 4, 96, 1);
  net.run(5s);
  EXPECT_EQ(net.hop(1, 4), 2u);
}

}  // namespace
}  // namespace wattle::metad::test
