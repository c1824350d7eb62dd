#include "metad/core/routes.h"

namespace wattle::metad {

void DirectRoutes::neighbour_up(const NodeAddress& neighbour) { neighbours_.insert(neighbour); }

void DirectRoutes::neighbour_down(const NodeAddress& neighbour) {
  neighbours_.erase(neighbour);
  for (auto at = told_.begin(); at != told_.end();) {
    at->second.erase(neighbour);
    at = at->second.empty() ? told_.erase(at) : std::next(at);
  }
}

void DirectRoutes::heard(const NodeAddress& host, const NodeAddress& from) {
  if (host != from) told_[host].insert(from);
}

void DirectRoutes::retracted(const NodeAddress& host, const NodeAddress& from) {
  const auto at = told_.find(host);
  if (at == told_.end()) return;
  at->second.erase(from);
  if (at->second.empty()) told_.erase(at);
}

bool DirectRoutes::passes_on(const NodeAddress& host, const NodeAddress& from,
                             const NodeAddress& to) const {
  return host == from && to != host;
}

std::vector<NodeAddress> DirectRoutes::ways(const NodeAddress& host, const NodeAddress* but) const {
  std::vector<NodeAddress> out;
  const auto add = [&](const NodeAddress& way) {
    if (but == nullptr || way != *but) out.push_back(way);
  };
  if (neighbours_.contains(host)) add(host);
  const auto at = told_.find(host);
  if (at != told_.end())
    for (const NodeAddress& way : at->second)
      if (neighbours_.contains(way)) add(way);
  return out;
}

}  // namespace wattle::metad
