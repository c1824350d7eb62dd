// What a link costs, from what cryptod measures on its data path (DESIGN 6, protocols.md 5.2):
//   Udp      96, and beyond a round trip of 1 ms one for each 100 us, 5000 at most; divided by
//            (1 - loss)^2, the chance that question and answer both arrive, four times at most
//   Carried  the same and 256 (protocols.md 5.3, trap 6)
//   Down     kUnreachable
#pragma once

#include "common/ipc/meta_link.h"
#include "metad/core/router.h"

namespace wattle::metad {

inline constexpr Metric kLinkCost = 96;
inline constexpr Metric kRttCostLimit = 5000;
inline constexpr Metric kCarriedCost = 256;

Metric link_cost(const meta_link::LinkState& state);

}  // namespace wattle::metad
