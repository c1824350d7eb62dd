// cryptod as a metad engine sees it, for tests: it keeps the routing table over metad's restart,
// acknowledges each Route, and tells of the data path to each Neighbour what the test says.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <vector>

#include "common/ipc/meta_link.h"

namespace wattle::metad::test {

class RoutingCryptod {
 public:
  using Address = meta_link::Address;
  using ToMetad = std::vector<meta_link::ToMetad::Message>;

  std::uint64_t incarnation = 0;
  std::map<Address, meta_link::RouteEntry> table;
  std::set<Address> neighbours;
  std::vector<meta_link::Carried> carried;
  std::function<meta_link::LinkState(const Address&)> measure;
  bool acknowledges = true;
  std::size_t routes = 0;  // Route messages

  // What a metad that connects is told.
  ToMetad hello() {
    repeated_.clear();
    ToMetad out = {meta_link::Ready{incarnation}};
    for (const auto& [destination, entry] : table)
      out.push_back(meta_link::HeldRoute{destination, entry});
    out.push_back(meta_link::HeldRoutesEnd{});
    for (const Address& neighbour : neighbours) out.push_back(measure(neighbour));
    return out;
  }

  ToMetad on(const meta_link::ToCryptod::Message& message) {
    ToMetad out;
    if (const auto* m = std::get_if<meta_link::Neighbour>(&message)) {
      if (!m->linked) {
        neighbours.erase(m->address);
      } else if (neighbours.insert(m->address).second) {
        out.push_back(measure(m->address));
      }
    } else if (const auto* route = std::get_if<meta_link::Route>(&message)) {
      ++routes;
      repeated_.insert(route->destination);
      if (route->entry.state == meta_link::RouteState::Forgotten)
        table.erase(route->destination);
      else
        table[route->destination] = route->entry;
      if (acknowledges) out.push_back(meta_link::RouteAck{route->ticket});
    } else if (const auto* keep = std::get_if<meta_link::KeepIncarnation>(&message)) {
      incarnation = keep->incarnation;
    } else if (std::get_if<meta_link::SnapshotEnd>(&message) != nullptr) {
      std::erase_if(table, [&](const auto& item) { return !repeated_.contains(item.first); });
    } else if (const auto* packet = std::get_if<meta_link::Carried>(&message)) {
      carried.push_back(*packet);
    }
    return out;
  }

 private:
  std::set<Address> repeated_;  // since hello()
};

}  // namespace wattle::metad::test
