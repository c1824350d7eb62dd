#include <algorithm>
#include <cstdio>

#include "tests/sim/churn.h"

namespace wattle::sim {

using namespace std::chrono_literals;

namespace {

// Runs until all pairs are routed (and 20 s more for what trickles), and prints what it cost.
void measure(World& world, const char* what) {
  const Counters before = world.counters();
  const Instant begin = world.now();
  Duration routed = Duration::max();
  // A quarter of a second at first, so that the event has taken its effect.
  while (world.now() < begin + 90s) {
    world.run_for(250ms);
    if (world.reach().missing != 0) {
      routed = Duration::max();
    } else if (routed == Duration::max()) {
      routed = world.now() - begin;
    }
    if (routed != Duration::max() && world.settled() && world.now() > begin + routed + 20s) break;
  }
  const Counters& after = world.counters();
  const auto n = static_cast<double>(world.size());
  std::printf(
      "%-34s all pairs routed after %6.2f s; per node %8.1f lines, %9.0f bytes "
      "(%.1f updates, %.1f of them with a record, %.1f retractions, %.1f seqno requests); "
      "stretch %.3f\n",
      what, std::chrono::duration<double>(routed).count(),
      static_cast<double>(after.lines - before.lines) / n,
      static_cast<double>(after.bytes - before.bytes) / n,
      static_cast<double>(after.updates - before.updates) / n,
      static_cast<double>(after.records - before.records) / n,
      static_cast<double>(after.retractions - before.retractions) / n,
      static_cast<double>(after.requests - before.requests) / n, world.reach().stretch);
}

}  // namespace

void print_figures(std::size_t nodes, unsigned degree, std::uint64_t seed) {
  World world(nodes, degree, seed);
  std::printf(
      "%zu nodes, %zu links; an end notices a dead data path within 9 s, a dead meta link "
      "within 45 s\n",
      nodes, world.edges().size());
  const auto last = static_cast<NodeId>(nodes - 1);
  for (NodeId i = 0; i < last; ++i) world.start(i);
  measure(world, "all but one come up at once");
  world.start(last);
  measure(world, "the last one joins");
  world.leave(last);
  measure(world, "it leaves");
  world.start(last);
  measure(world, "it comes back");
  const EdgeId busiest = world.busiest();
  world.cut(busiest);
  measure(world, "the busiest link is lost");
  world.mend(busiest);
  measure(world, "it is back");
  world.restart_metad(0);
  measure(world, "a metad restarts");
  world.reboot(0);
  measure(world, "a node reboots");
}

}  // namespace wattle::sim
