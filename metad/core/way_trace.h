// REQ_WAY that passed here (`wattle trace`): where each came from and where it was sent on, for as
// long as its answer may take. Bounded; an id that is remembered is not taken twice, so nothing
// circles.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "metad/core/ids.h"

namespace wattle::metad {

class WayTrace {
 public:
  static constexpr std::size_t kMax = 256;
  static constexpr std::size_t kMaxHops = 32;
  static constexpr Duration kMemory = std::chrono::seconds(5);

  struct Passed {
    LinkId from = 0;        // 0: asked on the control socket
    ControlId control = 0;  // if so, by whom
    LinkId to = 0;          // where it was sent; 0: answered here
    Instant until{};
  };
  // False: seen before, or no room.
  bool add(std::uint64_t id, LinkId from, ControlId control, LinkId to, Instant now);
  // The request that an answer from this link belongs to; each is answered once.
  std::optional<Passed> take(std::uint64_t id, LinkId answered_by, Instant now);
  std::size_t size() const { return passed_.size(); }

 private:
  void forget_old(Instant now);
  std::map<std::uint64_t, Passed> passed_;
};

// What a hop says of itself: `NAME/METRIC/RTT`. Metric and round trip (microseconds, 0: not known)
// are those of its next hop; the last one has neither.
struct WayHop {
  std::string name;
  std::uint32_t metric = 0;
  std::uint32_t rtt_us = 0;
  bool operator==(const WayHop&) const = default;
};
std::string print_hop(const WayHop& hop);

}  // namespace wattle::metad
