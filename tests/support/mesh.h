// A World whose links are given: lines, rings, what happens when one is cut.
#pragma once

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <set>
#include <string>

#include "tests/support/meta_world.h"

namespace wattle::metad::test {

// Nodes that are linked as the edges say, and in no other way. Places count from 0.
struct Mesh {
  World world;
  std::set<std::pair<std::size_t, std::size_t>> edges;

  Mesh(std::size_t count, std::initializer_list<std::pair<std::size_t, std::size_t>> which,
       const std::function<void(metad::Setup&, std::size_t)>& change = {})
      : edges(which) {
    world.may_dial = [this](std::size_t from, std::size_t to) {
      return edges.contains(std::minmax(from, to));
    };
    for (std::size_t i = 0; i < count; ++i)
      world.add([&](metad::Setup& s) {
        for (const auto& [a, b] : edges)
          if (b == i) s.connect.push_back(place(static_cast<std::uint8_t>(a + 1)));
        if (change) change(s, i);
      });
  }
  World::Node& node(std::size_t i) { return *world.nodes[i]; }
  Engine& engine(std::size_t i) { return *world.nodes[i]->engine; }
  NodeAddress address(std::size_t i) const {
    return world.realm.address(static_cast<std::uint8_t>(i + 1));
  }
  TableEntry route(std::size_t from, std::size_t to) const {
    return world.nodes[from]->engine->router().entry(address(to));
  }
  // Of the way in use, as the next hop told it.
  std::uint64_t seqno(std::size_t from, std::size_t to) const {
    for (const Candidate& c : world.nodes[from]->engine->router().candidates(address(to)))
      if (c.selected) return c.told.seqno;
    return 0;
  }
  bool reaches(std::size_t from, std::size_t to) const {
    return route(from, to).state == TableEntry::State::Reachable;
  }
  // By the tables that the cryptods have; the number of hops, 0: no way or a loop.
  std::size_t hops(std::size_t from, std::size_t to) const {
    for (std::size_t at = from, count = 0; count <= world.nodes.size(); ++count) {
      if (at == to) return count;
      const auto& table = world.nodes[at]->cryptod.table;
      const auto entry = table.find(address(to).bytes);
      if (entry == table.end() || entry->second.state != meta_link::RouteState::Reachable) return 0;
      for (std::size_t next = 0; next < world.nodes.size(); ++next)
        if (address(next).bytes == entry->second.next_hop) at = next;
    }
    return 0;
  }
  void say(std::size_t from, std::size_t to, const std::string& line) {
    world.act(node(to), engine(to).on_line(world.link(to, from), line, world.now));
    world.settle();
  }
  void cut(std::size_t a, std::size_t b) {
    edges.erase(std::minmax(a, b));
    world.set_path(a, b, false);
    world.break_wires(a, b);
  }
};

inline const std::initializer_list<std::pair<std::size_t, std::size_t>> kLine = {
    {0, 1}, {1, 2}, {2, 3}, {3, 4}};

inline std::size_t lines_with(const World::Node& node, std::string_view begin) {
  return static_cast<std::size_t>(
      std::count_if(node.heard.begin(), node.heard.end(),
                    [&](const std::string& line) { return line.starts_with(begin); }));
}

}  // namespace wattle::metad::test
