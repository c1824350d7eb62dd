#include "metad/ctl/render_routes.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "metad/ctl/render_text.h"
#include "metad/ctl/text_table.h"

namespace wattle::ctl {

namespace {

std::string number_or_dash(const std::optional<std::uint64_t>& number) {
  return number ? std::to_string(*number) : "-";
}

// What it would cost through this candidate.
std::string whole(const CandidateReply& candidate) {
  if (!candidate.told_metric || !candidate.cost) return "";
  return " " + std::to_string(*candidate.told_metric + *candidate.cost);
}

std::string words_of(std::string reason) {
  std::replace(reason.begin(), reason.end(), '_', ' ');
  return reason;
}

struct Part {
  const char* kind;
  const char* title;
};
constexpr Part kParts[] = {{"way", "ways that neighbours told of"},
                           {"route", "decisions about the route, oldest first"},
                           {"path", "decisions about the path of packets, oldest first"}};

}  // namespace

std::string format_age(std::uint64_t milliseconds) {
  if (milliseconds >= 10000) return format_span(milliseconds / 1000) + " ago";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%u.%u s ago", static_cast<unsigned>(milliseconds / 1000),
                static_cast<unsigned>(milliseconds / 100 % 10));
  return text.data();
}

std::string render_routes(const RoutesView& view) {
  if (view.routes.empty()) return "No other member of " + view.network + " is known yet.\n";
  std::vector<RouteReply> routes = view.routes;
  std::sort(routes.begin(), routes.end(),
            [](const RouteReply& a, const RouteReply& b) { return a.name < b.name; });
  std::vector<Row> rows = {{"NAME", "VIA", "METRIC", "STATE", "OTHER WAYS"}};
  for (const RouteReply& route : routes) {
    std::string others, state = route.state;
    for (const CandidateReply& candidate : route.candidates) {
      if (candidate.selected) {
        if (candidate.held) state += ", held";
        continue;
      }
      others += (others.empty() ? "" : ", ") + candidate.via + whole(candidate) + " (" +
                words_of(candidate.reason) + ")";
    }
    const std::string via = route.via == route.name ? "its own link" : route.via;
    rows.push_back(
        {route.name, or_dash(via), number_or_dash(route.metric), or_dash(state), or_dash(others)});
  }
  return text_table(rows);
}

std::string render_why(const WhyView& view) {
  std::string out = view.peer + ":\n";
  for (const WhyLine& line : view.lines)
    if (line.kind == "now") out += "  " + line.sentence + "\n";
  for (const Part& part : kParts) {
    std::vector<Row> rows;
    for (const WhyLine& line : view.lines) {
      if (line.kind != part.kind) continue;
      if (line.age_ms)
        rows.push_back({"  " + format_age(*line.age_ms), line.sentence});
      else
        rows.push_back({"  " + line.sentence});
    }
    // A sentence without an age must not widen the column of the ages.
    if (rows.empty()) continue;
    out += "\n" + std::string(part.title) + ":\n";
    std::vector<Row> aged;
    for (const Row& row : rows) {
      if (row.size() == 2)
        aged.push_back(row);
      else
        out += row[0] + "\n";
    }
    out += text_table(aged);
  }
  return out;
}

std::string way_end(const TraceView& view) {
  const std::string last = view.way.hops.empty() ? "metad" : view.way.hops.back().name;
  if (view.way.end.empty()) return "";
  if (view.way.end == "no_way") return last + " has no way to " + view.peer;
  if (view.way.end == "held")
    return "the meta link from " + last + " to its next hop is closed now";
  if (view.way.end == "unknown") return last + " does not know " + view.peer;
  if (view.way.end == "hops") return "the way is longer than 32 hops";
  if (view.way.end == "full") return "the way goes on; no more hops fit into the line";
  return "the way ends at " + last;
}

std::string render_trace(const TraceView& view) {
  std::vector<Row> rows = {{"HOP", "NAME", "METRIC LEFT", "ROUND TRIP TO THE NEXT"}};
  for (std::size_t i = 0; i < view.way.hops.size(); ++i) {
    const HopReply& hop = view.way.hops[i];
    const bool last = i + 1 == view.way.hops.size();
    rows.push_back({std::to_string(i), hop.name, last ? "-" : std::to_string(hop.metric),
                    hop.rtt_us == 0 || last ? "-" : format_rtt(hop.rtt_us)});
  }
  std::string out;
  if (view.way_failure.empty())
    out += text_table(rows);
  else
    out += "! " + view.way_failure + "\n";
  if (const std::string end = way_end(view); !end.empty()) out += "! " + end + "\n";
  if (!view.probe.answered) return out + "end to end: no answer\n";
  return out + "end to end: answer in " + format_rtt(view.probe.rtt_us.value_or(0)) +
         describe_way(view.probe) + "\n";
}

}  // namespace wattle::ctl
