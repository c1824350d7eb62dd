#include "metad/core/link_cost.h"

#include <gtest/gtest.h>

namespace wattle::metad {
namespace {

using meta_link::LinkWay;

Metric cost(LinkWay way, std::uint32_t rtt_us, std::uint16_t loss = 0) {
  meta_link::LinkState state;
  state.way = way;
  state.rtt_us = rtt_us;
  state.loss_permille = loss;
  return link_cost(state);
}

TEST(LinkCost, DownIsUnreachableWhateverWasMeasured) {
  EXPECT_EQ(cost(LinkWay::Down, 0), kUnreachable);
  EXPECT_EQ(cost(LinkWay::Down, 500, 10), kUnreachable);
}

TEST(LinkCost, AShortRoundTripIsFree) {
  EXPECT_EQ(cost(LinkWay::Udp, 0), 96u);
  EXPECT_EQ(cost(LinkWay::Udp, 1000), 96u);
  EXPECT_EQ(cost(LinkWay::Udp, 1099), 96u);
  EXPECT_EQ(cost(LinkWay::Udp, 1100), 97u);
}

TEST(LinkCost, ThenItGrowsToALimit) {
  EXPECT_EQ(cost(LinkWay::Udp, 51'000), 596u);
  EXPECT_EQ(cost(LinkWay::Udp, 501'000), 5096u);
  EXPECT_EQ(cost(LinkWay::Udp, UINT32_MAX), 5096u);
}

TEST(LinkCost, LossCountsBothWaysAndFourfoldAtMost) {
  EXPECT_EQ(cost(LinkWay::Udp, 0, 100), 118u);  // 96 / 0.81
  EXPECT_EQ(cost(LinkWay::Udp, 0, 500), 384u);
  EXPECT_EQ(cost(LinkWay::Udp, 0, 900), 384u);
  EXPECT_EQ(cost(LinkWay::Udp, 0, 1000), 384u);
  EXPECT_EQ(cost(LinkWay::Udp, 0, 65535), 384u);
  EXPECT_EQ(cost(LinkWay::Udp, UINT32_MAX, 65535), 20384u);
}

TEST(LinkCost, CarriedCostsMoreThanUdpButLessThanNothing) {
  EXPECT_EQ(cost(LinkWay::Carried, 0), 96u + 256u);
  EXPECT_EQ(cost(LinkWay::Carried, 0, 500), 384u + 256u);
  EXPECT_LT(cost(LinkWay::Carried, UINT32_MAX, 65535), kUnreachable);
}

}  // namespace
}  // namespace wattle::metad
