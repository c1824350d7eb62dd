// Where the routing engine will stand (DESIGN 6): who is told of whom, and through which neighbour
// a request travels. Here: DirectRoutes. Pure: events in, answers out.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "common/proto/node_address.h"

namespace wattle::metad {

class Routes {
 public:
  virtual ~Routes() = default;

  virtual void neighbour_up(const NodeAddress& neighbour) = 0;    // its link is active
  virtual void neighbour_down(const NodeAddress& neighbour) = 0;  // its last link is gone
  virtual void heard(const NodeAddress& host, const NodeAddress& from) = 0;
  virtual void retracted(const NodeAddress& host, const NodeAddress& from) = 0;

  // Is what `from` said of `host` passed on to `to`?
  virtual bool passes_on(const NodeAddress& host, const NodeAddress& from,
                         const NodeAddress& to) const = 0;
  // Neighbours to ask for `host`, best first; `but` (who asked us) is left out.
  virtual std::vector<NodeAddress> ways(const NodeAddress& host,
                                        const NodeAddress* but = nullptr) const = 0;
};

// Direct neighbours are passed on to the other neighbours, once; what a neighbour tells of others
// goes no further. The way to a host is its own link, else every neighbour that told of it.
class DirectRoutes : public Routes {
 public:
  void neighbour_up(const NodeAddress& neighbour) override;
  void neighbour_down(const NodeAddress& neighbour) override;
  void heard(const NodeAddress& host, const NodeAddress& from) override;
  void retracted(const NodeAddress& host, const NodeAddress& from) override;
  bool passes_on(const NodeAddress& host, const NodeAddress& from,
                 const NodeAddress& to) const override;
  std::vector<NodeAddress> ways(const NodeAddress& host, const NodeAddress* but) const override;

 private:
  std::set<NodeAddress> neighbours_;
  std::map<NodeAddress, std::set<NodeAddress>> told_;  // host -> neighbours
};

}  // namespace wattle::metad
