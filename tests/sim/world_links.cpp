// Meta links, and what happens to edges and nodes.
#include <algorithm>

#include "tests/sim/world.h"

namespace wattle::sim {

using namespace std::chrono_literals;
using metad::kUnreachable;

// ---- links --------------------------------------------------------------------------------------

void World::send(NodeId from, metad::LinkId id, Line line, std::size_t bytes) {
  ++counters_.lines;
  counters_.bytes += bytes;
  Link& link = links_[id - 1];
  if (!link.alive) return;
  const Edge& edge = edges_[link.edge];
  const unsigned to = 1 - side_of(link.edge, from);
  Instant at = std::max(now_, edge.stalled_until) + edge.delay + between(0ms, edge.delay);
  at = std::max(at, link.last[to]);
  link.last[to] = line.at = at;
  link.to[to].push_back(line);
  push(What::Deliver, at, static_cast<std::uint32_t>(id - 1), to);
}

void World::deliver(std::size_t id, unsigned side) {
  if (links_[id].to[side].empty() || links_[id].to[side].front().at > now_) return;
  const Line line = links_[id].to[side].front();
  links_[id].to[side].pop_front();
  if (!links_[id].open[side]) return;
  if (line.kind == Line::Kind::Closed) return close(id, side);
  on_line(edges_[links_[id].edge].end[side], id + 1, line);
}

void World::fail(std::size_t id) {
  links_[id].alive = false;
  links_[id].to[0].clear();
  links_[id].to[1].clear();
}

// The other side is told by the connection's end, if it still works; after it somebody dials.
void World::close(std::size_t id, unsigned side) {
  Link& link = links_[id];
  if (!link.open[side]) return;
  link.open[side] = false;
  const NodeId self = edges_[link.edge].end[side];
  const EdgeId edge = link.edge;
  if (link.alive && link.open[1 - side]) send(self, id + 1, Line{}, 0);
  link.alive = link.alive && link.open[1 - side];
  const bool hold = edges_[edge].seen[side] != kUnreachable;
  if (nodes_[self].metad && nodes_[self].life == link.life[side]) {
    nodes_[self].metad->link_down(id + 1, hold, now_);
    drain(self);
  }
  push(What::Dial, now_ + (chance(10) ? between(5s, 15s) : between(100ms, 3s)), edge);
}

void World::dial(EdgeId id, bool another) {
  Edge& edge = edges_[id];
  if (!edge.up || !in_service(edge.end[0]) || !in_service(edge.end[1])) return;
  if (edge.link != SIZE_MAX && !another) {
    const Link& link = links_[edge.link];
    if (link.alive && link.open[0] && link.open[1]) return;
    // As long as both believe in a dead link nobody dials.
    if (!link.alive && link.open[0] && link.open[1] && chance(70)) {
      return push(What::Dial, now_ + between(500ms, 3s), id);
    }
  }
  edge.link = links_.size();
  Link link;
  link.edge = id;
  const unsigned first = chance(50) ? 0 : 1;
  const Instant one = now_ + edge.delay, other = one + between(1ms, 300ms);
  link.last[first] = one;
  link.last[1 - first] = other;
  link.open = {true, true};
  for (unsigned side : {0U, 1U}) link.life[side] = nodes_[edge.end[side]].life;
  links_.push_back(std::move(link));
  std::erase_if(edge.links, [&](std::size_t i) {
    return !links_[i].open[0] && !links_[i].open[1] && !links_[i].alive;
  });
  edge.links.push_back(edge.link);
  const auto index = static_cast<std::uint32_t>(edge.link);
  push(What::LinkUp, one, index, first);
  push(What::LinkUp, other, index, 1 - first);
}

void World::link_up(std::size_t id, unsigned side) {
  Link& link = links_[id];
  const Edge& edge = edges_[link.edge];
  const NodeId self = edge.end[side], other = edge.end[1 - side];
  if (!link.open[side]) return;
  if (!link.alive || !nodes_[self].metad || nodes_[self].life != link.life[side]) {
    return close(id, side);
  }
  nodes_[self].metad->link_up(id + 1, address_of(other), nodes_[other].incarnation, now_);
  drain(self);
}

// ---- nodes --------------------------------------------------------------------------------------

void World::start(NodeId id) {
  Node& node = nodes_[id];
  if (node.powered) return;
  node.powered = true;
  node.cryptod = true;
  node.held_incarnation = random_() | 1;
  start_metad(id);
}

void World::start_metad(NodeId id) {
  Node& node = nodes_[id];
  if (!node.powered || node.metad) return;
  if (!node.cryptod) return push(What::MetadUp, now_ + 100ms, id);
  ++node.life;
  node.incarnation = node.held_incarnation;
  node.metad.emplace(Router::Config{address_of(id), true});
  node.tick_at = kNever;
  for (NodeId d = 0; d < nodes_.size(); ++d) {
    node.metad->restore(address_of(d), node.table[d], now_);
  }
  node.metad->cryptod(true, now_);
  ++node.seqno;
  if (node.content == 0 || chance(20)) node.content = node.seqno;
  node.metad->own_seqno(node.seqno, now_);
  push(What::Prune, now_ + 10s, id, node.life);
  drain(id);
  for (const EdgeId edge : node.edges) {
    push(What::Dial, now_ + between(100ms, 3s), edge);
    const unsigned side = side_of(edge, id);
    if (node.neighbours[edges_[edge].end[1 - side]] != 0) {
      push(What::Cost, now_ + between(1ms, 100ms), edge, side);
    }
    push(What::Cost, now_ + between(100ms, 4s), edge, 1 - side);
  }
}

// What is on the lane is lost or still arrives. A clean end, and the kernel after a kill, close the
// links; a power cut does not.
void World::end_metad(NodeId id, bool clean) {
  Node& node = nodes_[id];
  if (!node.metad) return;
  if (chance(50)) {
    for (LaneMessage& message : node.lane) message.at = now_;
    lane(id);
  }
  node.lane.clear();
  node.metad.reset();
  // A cryptod that has not had the whole snapshot keeps nothing of it.
  if (node.cryptod && node.held_incarnation != node.incarnation) forget(id);
  for (const EdgeId edge : node.edges) {
    const unsigned side = side_of(edge, id);
    for (const std::size_t i : std::vector<std::size_t>(edges_[edge].links)) {
      if (!links_[i].open[side]) continue;
      if (clean) {
        close(i, side);
      } else {
        links_[i].open[side] = false;
        fail(i);
        push(What::Notice, now_ + between(1s, 45s), static_cast<std::uint32_t>(i), 1 - side);
      }
    }
  }
}

void World::forget(NodeId id) {
  for (NodeId d = 0; d < nodes_.size(); ++d) set_entry(id, d, {});
  nodes_[id].neighbours.assign(nodes_.size(), 0);
}

void World::restart_metad(NodeId id) {
  if (!in_service(id)) return;
  end_metad(id, true);
  push(What::MetadUp, now_ + (chance(10) ? between(5s, 15s) : between(200ms, 3s)), id);
}

void World::restart_cryptod(NodeId id) {
  Node& node = nodes_[id];
  if (!in_service(id) || !node.cryptod) return;
  node.cryptod = false;
  node.lane.clear();
  forget(id);
  push(What::CryptodGone, now_ + between(100us, 20ms), id, node.life);
  const Duration back = between(200ms, 2s);
  push(What::CryptodUp, now_ + back, id);
  for (const EdgeId edge : node.edges) {
    for (unsigned side : {0U, 1U}) push(What::Cost, now_ + between(0s, 9s), edge, side);
    for (unsigned side : {0U, 1U}) push(What::Cost, now_ + back + between(9s, 12s), edge, side);
  }
}

void World::reboot(NodeId id) {
  Node& node = nodes_[id];
  if (!in_service(id)) return;
  end_metad(id, false);
  node.powered = node.cryptod = false;
  forget(id);
  for (const EdgeId edge : node.edges) {
    push(What::Cost, now_ + between(0s, 9s), edge, 1 - side_of(edge, id));
  }
  push(What::Boot, now_ + (chance(30) ? between(1s, 3s) : between(3s, 40s)), id);
}

void World::leave(NodeId id) {
  Node& node = nodes_[id];
  if (!in_service(id)) return;
  for (const EdgeId edge : node.edges) {
    push(What::Cost, now_ + between(0s, 9s), edge, 1 - side_of(edge, id));
  }
  end_metad(id, true);
  node.powered = node.cryptod = false;
  forget(id);
}

void World::raise_seqno(NodeId id) {
  if (in_service(id)) push(What::Seqno, now_, id, nodes_[id].life, 1);
}

// ---- edges --------------------------------------------------------------------------------------

void World::cut(EdgeId id) {
  Edge& edge = edges_[id];
  if (!edge.up) return;
  edge.up = false;
  for (const std::size_t i : edge.links) {
    if (!links_[i].alive) continue;
    fail(i);
    for (unsigned side : {0U, 1U}) {
      push(What::Notice, now_ + between(1s, 45s), static_cast<std::uint32_t>(i), side);
    }
  }
  for (unsigned side : {0U, 1U}) push(What::Cost, now_ + between(0s, 9s), id, side);
}

void World::mend(EdgeId id) {
  Edge& edge = edges_[id];
  if (edge.up) return;
  edge.up = true;
  for (unsigned side : {0U, 1U}) push(What::Cost, now_ + between(0s, 4s), id, side);
  push(What::Dial, now_ + between(200ms, 5s), id);
}

void World::change_cost(EdgeId id) {
  edges_[id].cost = 96 + static_cast<Metric>(chance(30) ? random_() % 5000 : random_() % 400);
  for (unsigned side : {0U, 1U}) push(What::Cost, now_ + between(0s, 3s), id, side);
}

void World::stall(EdgeId id) { edges_[id].stalled_until = now_ + between(500ms, 6s); }

void World::reset_link(EdgeId id) {
  const std::size_t link = edges_[id].link;
  if (link == SIZE_MAX || !links_[link].alive) return;
  fail(link);
  for (unsigned side : {0U, 1U}) {
    push(What::Notice, now_ + between(0s, 5s), static_cast<std::uint32_t>(link), side);
  }
}

void World::renew_link(EdgeId id) {
  const std::size_t old = edges_[id].link;
  if (old == SIZE_MAX || !links_[old].alive || !links_[old].open[0] || !links_[old].open[1]) return;
  push(What::Dial, now_, id, 1);
  push(What::Close, now_ + between(500ms, 4s), static_cast<std::uint32_t>(old), chance(50) ? 0 : 1);
}

}  // namespace wattle::sim
