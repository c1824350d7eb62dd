// For programs: the same as JSON, one object with "schema":1 (tests/ctl/schema has the schemas).
// Pure.
#pragma once

#include <string>

#include "metad/ctl/failure.h"
#include "metad/ctl/views.h"

namespace wattle::ctl {

std::string json_status(const StatusView& view);
std::string json_peers(const PeersView& view);
std::string json_ping(const PingView& view);
std::string json_routes(const RoutesView& view);
std::string json_why(const WhyView& view);
std::string json_trace(const TraceView& view);
std::string json_level(const LevelView& view);
// One line of a log, as one line.
std::string json_log_line(const std::string& line);
std::string json_version();
// What is printed with --json when a verb fails: {"schema":1,"error":{"exit":3,"sentence":"…"}}
std::string json_failure(const Failure& failure);

}  // namespace wattle::ctl
