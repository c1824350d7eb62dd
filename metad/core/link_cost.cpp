#include "metad/core/link_cost.h"

#include <algorithm>

namespace wattle::metad {
namespace {

constexpr std::uint32_t kFreeRttUs = 1000;
constexpr std::uint32_t kUsPerPoint = 100;
constexpr std::uint64_t kWhole = 1000;  // permille
constexpr std::uint64_t kLossLimit = 4;

}  // namespace

Metric link_cost(const meta_link::LinkState& state) {
  if (state.way == meta_link::LinkWay::Down) return kUnreachable;
  const std::uint32_t slow = state.rtt_us > kFreeRttUs ? state.rtt_us - kFreeRttUs : 0;
  const std::uint64_t base = kLinkCost + std::min<Metric>(slow / kUsPerPoint, kRttCostLimit);
  const std::uint64_t arrive = kWhole - std::min<std::uint64_t>(state.loss_permille, kWhole);
  std::uint64_t cost = base * kLossLimit;
  if (arrive != 0) cost = std::min(cost, base * kWhole * kWhole / (arrive * arrive));
  if (state.way == meta_link::LinkWay::Carried) cost += kCarriedCost;
  return static_cast<Metric>(cost);
}

}  // namespace wattle::metad
