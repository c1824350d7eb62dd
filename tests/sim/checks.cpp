// Loops, at once; reachability and stretch, at the end.
#include <algorithm>
#include <functional>
#include <queue>

#include "tests/sim/world.h"

namespace wattle::sim {

void World::set_entry(NodeId id, NodeId destination, const metad::TableEntry& entry) {
  nodes_[id].table[destination] = entry;
  auto& hops = next_[destination * nodes_.size() + id];
  const auto before = hops;
  hops = {kNobody, kNobody};
  if (entry.state == metad::TableEntry::State::Reachable) {
    hops[0] = number_of(entry.next_hop);
    if (entry.alternate) hops[1] = number_of(*entry.alternate);
  }
  ++counters_.table_changes;
  if (hops != before) check(id, destination);
}

// Every loop that has come about just now goes through the line that has just changed.
void World::check(NodeId id, NodeId destination) {
  ++counters_.checks;
  const std::size_t n = nodes_.size();
  ++visit_;
  stack_.assign(1, id);
  while (!stack_.empty()) {
    const NodeId at = stack_.back();
    stack_.pop_back();
    for (const NodeId to : next_[destination * n + at]) {
      if (to == kNobody || to == destination) continue;
      if (nodes_[to].neighbours[at] == 0) continue;  // it does not relay for us
      if (to == id) {
        ++counters_.loops;
        return;
      }
      if (visited_[to] == visit_) continue;
      visited_[to] = visit_;
      stack_.push_back(to);
    }
  }
}

// `id` now relays what comes from `from`.
void World::check_permission(NodeId id, NodeId from) {
  for (NodeId d = 0; d < nodes_.size(); ++d) {
    const auto& hops = next_[d * nodes_.size() + from];
    if (hops[0] == id || hops[1] == id) check(from, d);
  }
}

World::Reach World::reach() const {
  const std::size_t n = nodes_.size();
  Reach out;
  double sum = 0;
  std::size_t routed = 0;
  for (NodeId d = 0; d < n; ++d) {
    if (!in_service(d)) continue;
    std::vector<std::uint64_t> best(n, UINT64_MAX);
    using Item = std::pair<std::uint64_t, NodeId>;
    std::priority_queue<Item, std::vector<Item>, std::greater<>> queue;
    best[d] = 0;
    queue.emplace(0, d);
    while (!queue.empty()) {
      const auto [metric, at] = queue.top();
      queue.pop();
      if (metric != best[at]) continue;
      for (const EdgeId e : nodes_[at].edges) {
        const NodeId to = edges_[e].end[1 - side_of(e, at)];
        if (!edges_[e].up || !in_service(to) || metric + edges_[e].cost >= best[to]) continue;
        best[to] = metric + edges_[e].cost;
        queue.emplace(best[to], to);
      }
    }
    for (NodeId a = 0; a < n; ++a) {
      if (a == d || best[a] == UINT64_MAX) continue;
      ++out.pairs;
      std::uint64_t metric = 0;
      NodeId at = a;
      for (std::size_t hops = 0; at != d && hops < n; ++hops) {
        const NodeId to = next_[d * n + at][0];
        if (to == kNobody) break;
        const EdgeId e = edge_of_.at({at, to});
        const bool relays = to == d || nodes_[to].neighbours[at] != 0;
        if (!edges_[e].up || !nodes_[to].powered || !relays) break;
        metric += edges_[e].cost;
        at = to;
      }
      if (at != d) {
        ++out.missing;
        continue;
      }
      const double stretch = static_cast<double>(metric) / static_cast<double>(best[a]);
      sum += stretch;
      ++routed;
      out.worst_stretch = std::max(out.worst_stretch, stretch);
    }
  }
  if (routed != 0) out.stretch = sum / static_cast<double>(routed);
  return out;
}

EdgeId World::busiest() const {
  const std::size_t n = nodes_.size();
  std::vector<std::size_t> uses(edges_.size());
  for (std::size_t i = 0; i < next_.size(); ++i) {
    const NodeId to = next_[i][0];
    if (to != kNobody) ++uses[edge_of_.at({static_cast<NodeId>(i % n), to})];
  }
  return static_cast<EdgeId>(std::max_element(uses.begin(), uses.end()) - uses.begin());
}

}  // namespace wattle::sim
