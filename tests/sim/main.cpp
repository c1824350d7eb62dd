// wattle-sim: runs of the routing engine in virtual time (tests/sim/world.h).
//   sim [--nodes N] [--degree D] [--events E] [--seeds S] [--first SEED] [--gap MS]
//   [--jobs J]
//       [--expect-loops] sim --figures [--nodes N] [--degree D]
// Exit 0: no loop at any instant, and every connected pair routed 10 s after the last effect of the
// last event. With --expect-loops (a rule has been taken out): 0 if there were loops.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>
#include <vector>

#include "tests/sim/churn.h"

namespace {

using wattle::Duration;

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

int main(int argc, char** argv) {
  wattle::sim::Run run;
  std::uint64_t seeds = 1, first = 1, jobs = 1;
  bool expect_loops = false, figures = false;
  for (int i = 1; i < argc; ++i) {
    const auto is = [&](const char* name) { return std::strcmp(argv[i], name) == 0; };
    if (is("--expect-loops")) {
      expect_loops = true;
    } else if (is("--figures")) {
      figures = true;
    } else if (i + 1 < argc) {
      const std::uint64_t value = std::strtoull(argv[i + 1], nullptr, 10);
      if (is("--nodes"))
        run.nodes = value;
      else if (is("--degree"))
        run.degree = static_cast<unsigned>(value);
      else if (is("--events"))
        run.events = value;
      else if (is("--seeds"))
        seeds = value;
      else if (is("--first"))
        first = value;
      else if (is("--jobs"))
        jobs = std::max<std::uint64_t>(1, value);
      else if (is("--gap"))
        run.gap = std::chrono::milliseconds(value);
      else
        return std::fprintf(stderr, "sim: unknown option %s\n", argv[i]), 2;
      ++i;
    } else {
      return std::fprintf(stderr, "sim: unknown option or no value: %s\n", argv[i]), 2;
    }
  }
  if (run.nodes < 3 || run.nodes > 2000) return std::fprintf(stderr, "sim: 3 to 2000 nodes\n"), 2;
  if (figures) return wattle::sim::print_figures(run.nodes, run.degree, first), 0;

  std::uint64_t loops = 0, missing = 0;
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::future<wattle::sim::Outcome>> running;  // in the order of seeds
  std::uint64_t next = first;
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    for (; next < first + seeds && next < seed + jobs; ++next) {
      run.seed = next;
      running.push_back(std::async(std::launch::async, wattle::sim::churn, run));
    }
    const auto out = running[seed - first].get();
    const auto& c = out.counters;
    loops += c.loops;
    missing += out.reach.missing;
    std::printf(
        "seed %3llu: loops %llu, missing %zu of %zu pairs, all routed after %.2f s; stretch %.3f "
        "(worst %.1f); %.0f s virtual, %llu lines, %llu table lines, %llu checks, %llu seqnos "
        "raised\n",
        static_cast<unsigned long long>(seed), static_cast<unsigned long long>(c.loops),
        out.reach.missing, out.reach.pairs,
        out.converged == Duration::max() ? -1.0 : seconds(out.converged), out.reach.stretch,
        out.reach.worst_stretch, seconds(out.virtual_time),
        static_cast<unsigned long long>(c.lines), static_cast<unsigned long long>(c.table_changes),
        static_cast<unsigned long long>(c.checks), static_cast<unsigned long long>(c.raises));
    std::printf(
        "          %llu updates, %llu of them with a record, %llu retractions, %llu seqno "
        "requests, %llu barriers\n",
        static_cast<unsigned long long>(c.updates), static_cast<unsigned long long>(c.records),
        static_cast<unsigned long long>(c.retractions), static_cast<unsigned long long>(c.requests),
        static_cast<unsigned long long>(c.barriers));
    std::fflush(stdout);
  }
  const double took =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf(
      "%zu nodes, %zu events, %llu seeds: loops %llu, missing %llu; %.1f s, %.0f events/s\n",
      run.nodes, run.events, static_cast<unsigned long long>(seeds),
      static_cast<unsigned long long>(loops), static_cast<unsigned long long>(missing), took,
      static_cast<double>(run.events * seeds) / took);
  if (expect_loops) return loops > 0 ? 0 : 1;
  return loops == 0 && missing == 0 ? 0 : 1;
}
