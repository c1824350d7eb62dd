// The replies of metad's control socket to DUMP ROUTES, WHY and REQ_WAY, as control_reply.h has the
// others. What is not known is left out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace wattle::ctl {

struct CandidateReply {
  std::string via, reason;
  std::optional<std::uint64_t> told_seqno, told_metric, cost;
  bool feasible = false, selected = false, held = false;
};
struct RouteReply {
  std::string name, via, state;
  std::optional<std::uint64_t> metric, seqno, fd_seqno, fd_metric;
  std::vector<CandidateReply> candidates;
};
// BadValue if a line does not parse or a candidate's route was not told.
Result<std::vector<RouteReply>> parse_routes(const std::vector<std::string>& lines);

struct WhyLine {
  std::string kind;  // now, way, route, path
  std::optional<std::uint64_t> age_ms;
  std::string sentence;
};
Result<std::vector<WhyLine>> parse_why(const std::vector<std::string>& lines);

struct HopReply {
  std::string name;
  std::uint64_t metric = 0, rtt_us = 0;  // of its next hop; 0: none, or not measured
};
struct WayReply {
  std::vector<HopReply> hops;
  std::string end;  // why it is not complete: no_way, unknown, hops, full; empty: it is
};
Result<WayReply> parse_way(const std::vector<std::string>& lines);

}  // namespace wattle::ctl
