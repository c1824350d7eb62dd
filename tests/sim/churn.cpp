#include "tests/sim/churn.h"

#include <cmath>

namespace wattle::sim {

using namespace std::chrono_literals;

namespace {

void happen(World& world) {
  const auto edge = static_cast<EdgeId>(world.random()() % world.edges().size());
  const auto node = static_cast<NodeId>(world.random()() % world.size());
  std::size_t down = 0;
  for (const Edge& e : world.edges()) down += !e.up;
  const auto dice = world.random()() % 100;
  if (dice < 40) {
    // About a tenth of the edges is down at any time.
    if (world.random()() % 100 < 500 * down / world.edges().size()) {
      for (EdgeId i = 0; i < world.edges().size(); ++i) {
        const auto at = static_cast<EdgeId>((edge + i) % world.edges().size());
        if (!world.edges()[at].up) return world.mend(at);
      }
    }
    return world.cut(edge);
  }
  if (dice < 60) return world.change_cost(edge);
  if (dice < 65) return world.stall(edge);
  if (dice < 75) return world.reset_link(edge);
  if (dice < 80) return world.renew_link(edge);
  if (dice < 89) return world.restart_metad(node);
  if (dice < 91) return world.restart_cryptod(node);
  if (dice < 96) return world.reboot(node);
  world.raise_seqno(node);
}

}  // namespace

Outcome churn(const Run& run) {
  World world(run.nodes, run.degree, run.seed);
  const Instant begin = world.now();
  for (NodeId i = 0; i < run.nodes; ++i) {
    world.start(i);
    world.run_for(world.between(0s, 50ms));
  }
  world.run_for(15s);
  for (std::size_t i = 0; i < run.events; ++i) {
    happen(world);
    const double u = (static_cast<double>(world.random()() % 1'000'000) + 1) / 1e6;
    world.run_for(
        Duration(static_cast<std::int64_t>(-std::log(u) * static_cast<double>(run.gap.count()))));
  }
  while (!world.settled()) world.run_for(100ms);
  Outcome out;
  const Instant last = world.now();
  out.converged = Duration::max();
  while (world.now() < last + 10s) {
    if (out.converged == Duration::max() && world.reach().missing == 0)
      out.converged = world.now() - last;
    world.run_for(250ms);
  }
  out.reach = world.reach();
  if (out.reach.missing == 0 && out.converged == Duration::max()) out.converged = 10s;
  out.counters = world.counters();
  out.virtual_time = world.now() - begin;
  return out;
}

}  // namespace wattle::sim
