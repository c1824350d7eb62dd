// One run: a network comes up, lives through random events, and is left in peace.
#pragma once

#include <cstdint>

#include "tests/sim/world.h"

namespace wattle::sim {

struct Run {
  std::size_t nodes = 40;
  unsigned degree = 6;
  std::size_t events = 1000;
  std::uint64_t seed = 1;
  Duration gap = std::chrono::milliseconds(200);  // between events, on average
};
struct Outcome {
  Counters counters;
  World::Reach reach;    // 10 s after the last effect of the last event
  Duration converged{};  // when nothing was missing, after that effect, to 0.25 s
  Duration virtual_time{};
};
Outcome churn(const Run& run);

// What a join, a leave and the loss of a link cost, one after another in a quiet network.
void print_figures(std::size_t nodes, unsigned degree, std::uint64_t seed);

}  // namespace wattle::sim
