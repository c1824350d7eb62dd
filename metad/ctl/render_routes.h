// routes, why and trace for people. Pure; the texts end with a line feed.
#pragma once

#include <string>

#include "metad/ctl/views.h"

namespace wattle::ctl {

std::string render_routes(const RoutesView& view);
std::string render_why(const WhyView& view);
std::string render_trace(const TraceView& view);

std::string format_age(std::uint64_t milliseconds);  // "0.4 s ago", "5 min ago"
// Why a way that was traced is not complete, as a sentence; empty if it is.
std::string way_end(const TraceView& view);

}  // namespace wattle::ctl
