// For people: aligned tables and plain words. Pure; the texts end with a line feed.
#pragma once

#include <string>

#include "metad/ctl/views.h"

namespace wattle::ctl {

std::string render_status(const StatusView& view);
std::string render_peers(const PeersView& view);
// One probe's line (1-based number) and the last two.
std::string render_probe(std::size_t number, const ProbeReply& probe);
std::string describe_way(const ProbeReply& probe);  // ", direct over 192.0.2.1:8737" or nothing
std::string render_ping_summary(const PingView& view);

std::string format_bytes(std::uint64_t bytes);   // 812 B, 1.4 KiB, 3.0 MiB
std::string format_rtt(std::uint64_t micros);    // 0.83 ms, 12.1 ms, 1.25 s
std::string format_span(std::uint64_t seconds);  // 42 s, 5 min, 3 h, 12 days
std::string format_time(UnixTime time);          // 2026-09-21 14:02 UTC

}  // namespace wattle::ctl
