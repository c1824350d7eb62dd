#include "tests/sim/world.h"

#include <algorithm>
#include <cmath>

namespace wattle::sim {

using namespace std::chrono_literals;
using metad::kUnreachable;

Duration World::between(Duration low, Duration high) {
  const auto span = static_cast<std::uint64_t>((high - low).count());
  return low + Duration(static_cast<std::int64_t>(span ? random_() % span : 0));
}

World::World(std::size_t nodes, unsigned degree, std::uint64_t seed) : random_(seed) {
  nodes_.resize(nodes);
  for (Node& node : nodes_) {
    node.powered = false;
    node.seqno = 1000 + random_() % 1000;
    node.table.resize(nodes);
    node.known.resize(nodes);
    node.neighbours.assign(nodes, 0);
  }
  next_.assign(nodes * nodes, {kNobody, kNobody});
  visited_.assign(nodes, 0);
  make_graph(degree);
}

// A geometric graph (seeds with an even number) or a ring with chords; a ring joins all either way.
void World::make_graph(unsigned degree) {
  const std::size_t n = nodes_.size();
  const auto join = [&](std::size_t a, std::size_t b) {
    const auto x = static_cast<NodeId>(std::min(a, b)), y = static_cast<NodeId>(std::max(a, b));
    if (x == y || edge_of_.contains({x, y})) return;
    Edge edge;
    edge.end = {x, y};
    edge.cost = 96 + static_cast<Metric>(random_() % 400);
    edge.delay = between(1ms, 60ms);
    const auto id = static_cast<EdgeId>(edges_.size());
    edge_of_[{x, y}] = edge_of_[{y, x}] = id;
    nodes_[x].edges.push_back(id);
    nodes_[y].edges.push_back(id);
    edges_.push_back(edge);
  };
  for (std::size_t i = 0; i < n; ++i) join(i, (i + 1) % n);
  const std::size_t wanted = n * degree / 2;
  if (random_() % 2 == 0) {
    while (edges_.size() < wanted) join(random_() % n, random_() % n);
    return;
  }
  std::vector<std::pair<double, double>> at(n);
  for (auto& [x, y] : at) {
    x = static_cast<double>(random_() % 10000) / 10000;
    y = static_cast<double>(random_() % 10000) / 10000;
  }
  std::vector<std::tuple<double, std::size_t, std::size_t>> pairs;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      pairs.emplace_back(std::hypot(at[i].first - at[j].first, at[i].second - at[j].second), i, j);
    }
  }
  std::sort(pairs.begin(), pairs.end());
  for (const auto& [distance, i, j] : pairs) {
    if (edges_.size() >= wanted) break;
    join(i, j);
  }
}

void World::push(What what, Instant at, std::uint32_t a, std::uint32_t b, std::uint64_t number) {
  events_.push({at, ++order_, what, a, b, number});
  if (what >= What::Cost) ++outside_;
}

void World::run_until(Instant time) {
  while (!events_.empty() && events_.top().at <= time) {
    const Event event = events_.top();
    events_.pop();
    now_ = event.at;
    if (event.what >= What::Cost) --outside_;
    handle(event);
  }
  now_ = time;
}

void World::handle(const Event& e) {
  const auto id = static_cast<NodeId>(e.a);
  switch (e.what) {
    case What::Deliver:
      return deliver(e.a, e.b);
    case What::Tick:
      if (!nodes_[id].metad || nodes_[id].life != e.b || nodes_[id].tick_at != now_) return;
      nodes_[id].tick_at = kNever;
      nodes_[id].metad->tick(now_);
      return drain(id);
    case What::Lane:
      return lane(id);
    case What::Ack:
      if (!nodes_[id].metad || nodes_[id].life != e.b) return;
      nodes_[id].metad->acknowledged(e.number, now_);
      return drain(id);
    case What::Seqno:
      if (!nodes_[id].metad || nodes_[id].life != e.b) return;
      ++nodes_[id].seqno;
      if (e.number != 0) nodes_[id].content = nodes_[id].seqno;
      nodes_[id].metad->own_seqno(nodes_[id].seqno, now_, e.number != 0);
      return drain(id);
    case What::Cost:
      return on_cost(e.a, e.b);
    case What::Notice:
      return close(e.a, e.b);
    case What::Dial:
      return dial(e.a, e.b != 0);
    case What::LinkUp:
      return link_up(e.a, e.b);
    case What::Boot:
      return start(id);
    case What::MetadUp:
      return start_metad(id);
    case What::CryptodGone:
      if (nodes_[id].metad && nodes_[id].life == e.b) {
        nodes_[id].metad->cryptod(false, now_);
        drain(id);
      }
      return;
    case What::CryptodUp:
      if (!nodes_[id].powered) return;
      nodes_[id].cryptod = true;
      nodes_[id].held_incarnation = random_() | 1;
      if (nodes_[id].metad) {
        // The snapshot: neighbours, then (by cryptod()) every line of the table.
        for (const EdgeId edge : nodes_[id].edges) {
          const NodeId other = edges_[edge].end[1 - side_of(edge, id)];
          if (nodes_[id].metad->neighbours().contains(address_of(other))) {
            LaneMessage message;
            message.is_route = false;
            message.who = other;
            message.linked = true;
            to_lane(id, message);
          }
        }
        nodes_[id].metad->cryptod(true, now_);
        drain(id);
        LaneMessage last;
        last.keeps_incarnation = true;
        to_lane(id, last);
      }
      return;
    case What::Prune:
      if (!nodes_[id].metad || nodes_[id].life != e.b) return;
      for (const EdgeId edge : nodes_[id].edges) {
        const NodeId other = edges_[edge].end[1 - side_of(edge, id)];
        if (!nodes_[id].metad->neighbours().contains(address_of(other))) {
          nodes_[id].neighbours[other] = 0;
        }
      }
      return;
    case What::Close:  // the dialler ends the old one of two links
      if (!links_[e.a].alive) return;
      close(e.a, e.b);
      return;
  }
}

// ---- the engines --------------------------------------------------------------------------------

void World::drain(NodeId id) {
  Node& node = nodes_[id];
  if (!node.metad) return;
  for (const metad::RouterAction& action : node.metad->take()) perform(id, action);
  const Instant next = std::max(node.metad->next_deadline(), now_ + 1us);
  if (node.metad->next_deadline() != kNever && next < node.tick_at) {
    node.tick_at = next;
    push(What::Tick, next, id, node.life);
  }
}

void World::perform(NodeId id, const metad::RouterAction& action) {
  Line line;
  // The bytes are those of lines as metad writes them: 64 of the address, a name of 8, ...
  if (const auto* announce = std::get_if<metad::Announce>(&action)) {
    line.kind = Line::Kind::Update;
    line.destination = number_of(announce->destination);
    line.number = announce->distance.seqno;
    line.metric = announce->distance.metric;
    ++counters_.updates;
    counters_.records += announce->with_record;
    return send(id, announce->link, line, announce->with_record ? 330 : 135);
  }
  if (const auto* retract = std::get_if<metad::Retract>(&action)) {
    line.kind = Line::Kind::Retract;
    line.destination = number_of(retract->destination);
    ++counters_.retractions;
    return send(id, retract->link, line, 95);
  }
  if (const auto* ask = std::get_if<metad::AskSeqno>(&action)) {
    line.kind = Line::Kind::AskSeqno;
    line.destination = number_of(ask->destination);
    line.number = ask->seqno;
    line.hops = ask->hops;
    ++counters_.requests;
    return send(id, ask->link, line, 110);
  }
  if (const auto* barrier = std::get_if<metad::AskBarrier>(&action)) {
    line.kind = Line::Kind::Barrier;
    line.number = barrier->number;
    ++counters_.barriers;
    return send(id, barrier->link, line, 16);
  }
  if (const auto* answer = std::get_if<metad::AnswerBarrier>(&action)) {
    line.kind = Line::Kind::Answer;
    line.number = answer->number;
    return send(id, answer->link, line, 16);
  }
  if (const auto* end = std::get_if<metad::SendEnd>(&action)) {
    line.kind = Line::Kind::End;
    return send(id, end->link, line, 4);
  }
  if (std::holds_alternative<metad::RaiseSeqno>(action)) {
    ++counters_.raises;
    return push(What::Seqno, now_ + between(1ms, 20ms), id, nodes_[id].life);
  }
  LaneMessage message;
  if (const auto* changed = std::get_if<metad::TableChanged>(&action)) {
    message.who = number_of(changed->destination);
    message.entry = nodes_[id].metad->entry(changed->destination);
  } else if (const auto* neighbours = std::get_if<metad::NeighboursChanged>(&action)) {
    message.is_route = false;
    message.who = number_of(neighbours->neighbour);
    message.linked = nodes_[id].metad->neighbours().contains(neighbours->neighbour);
  }
  to_lane(id, message);
}

void World::to_lane(NodeId id, LaneMessage message) {
  Node& node = nodes_[id];
  if (!node.cryptod) return;
  const Duration delay = chance(2) ? between(5ms, 500ms) : between(50us, 5ms);
  node.lane_last = message.at = std::max(node.lane_last, now_ + delay);
  node.lane.push_back(message);
  push(What::Lane, message.at, id);
}

void World::lane(NodeId id) {
  Node& node = nodes_[id];
  while (!node.lane.empty() && node.lane.front().at <= now_) {
    const LaneMessage message = node.lane.front();
    node.lane.pop_front();
    if (message.keeps_incarnation) {
      node.held_incarnation = node.incarnation;
    } else if (message.is_route) {
      set_entry(id, message.who, message.entry);
      push(What::Ack, now_ + between(20us, 3ms), id, node.life, message.entry.ticket);
    } else if (message.linked) {
      if (std::exchange(node.neighbours[message.who], 1) != 0) continue;
      check_permission(id, message.who);
      const EdgeId edge = edge_between(id, message.who);
      push(What::Cost, now_ + between(10ms, 1s), edge, side_of(edge, id));
    } else {
      node.neighbours[message.who] = 0;
    }
  }
}

void World::on_cost(EdgeId id, unsigned side) {
  Edge& edge = edges_[id];
  const NodeId self = edge.end[side], other = edge.end[1 - side];
  const bool up = edge.up && nodes_[self].cryptod && nodes_[other].powered && nodes_[other].cryptod;
  edge.seen[side] = up ? edge.cost : kUnreachable;
  if (!nodes_[self].metad || nodes_[self].neighbours[other] == 0) return;
  nodes_[self].metad->cost(address_of(other), edge.seen[side], now_);
  drain(self);
}

void World::on_line(NodeId id, metad::LinkId link, const Line& line) {
  Router& router = *nodes_[id].metad;
  const NodeAddress destination = address_of(line.destination);
  switch (line.kind) {
    case Line::Kind::Update: {
      std::uint64_t& known = nodes_[id].known[line.destination];
      const bool news = known < nodes_[line.destination].content;
      known = std::max(known, line.number);
      router.update(link, destination, {line.number, line.metric}, now_, news);
      break;
    }
    case Line::Kind::Retract:
      router.retraction(link, destination, now_);
      break;
    case Line::Kind::AskSeqno:
      router.seqno_request(link, destination, line.number, line.hops, now_);
      break;
    case Line::Kind::Barrier:
      router.barrier_asked(link, line.number, now_);
      break;
    case Line::Kind::Answer:
      router.barrier_answer(link, line.number, now_);
      break;
    case Line::Kind::End:
      router.link_synced(link, now_);
      break;
    case Line::Kind::Closed:
      break;
  }
  drain(id);
}

}  // namespace wattle::sim
