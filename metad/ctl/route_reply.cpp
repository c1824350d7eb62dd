#include "metad/ctl/route_reply.h"

#include "common/base/parse.h"
#include "common/proto/line.h"

namespace wattle::ctl {

namespace {

std::string text_of(const Line& line, std::string_view key) {
  return std::string(line.find(key).value_or(std::string_view{}));
}

// "-" is how metad writes that there is none.
std::string name_of(const Line& line, std::string_view key) {
  const std::string out = text_of(line, key);
  return out == "-" ? std::string() : out;
}

Result<void> read_number(const Line& line, std::string_view key,
                         std::optional<std::uint64_t>& out) {
  const auto text = line.find(key);
  if (text && *text != "-") out = WATTLE_TRY(parse_decimal(*text));
  return {};
}

Result<CandidateReply> read_candidate(const Line& line) {
  CandidateReply out;
  out.via = text_of(line, "via");
  out.reason = text_of(line, "reason");
  out.feasible = text_of(line, "feasible") == "yes";
  out.selected = text_of(line, "selected") == "yes";
  out.held = text_of(line, "held") == "yes";
  WATTLE_TRY(read_number(line, "told_seqno", out.told_seqno));
  WATTLE_TRY(read_number(line, "told_metric", out.told_metric));
  WATTLE_TRY(read_number(line, "cost", out.cost));
  return out;
}

}  // namespace

Result<std::vector<RouteReply>> parse_routes(const std::vector<std::string>& lines) {
  std::vector<RouteReply> out;
  for (const std::string& text : lines) {
    const Line line = WATTLE_TRY(parse_line(text));
    if (line.words.size() < 2 || line.words[0] != "INFO") return Errc::BadValue;
    if (line.words[1] == "candidate") {
      if (out.empty() || out.back().name != text_of(line, "name")) return Errc::BadValue;
      out.back().candidates.push_back(WATTLE_TRY(read_candidate(line)));
    }
    if (line.words[1] != "route") continue;
    RouteReply route;
    route.name = text_of(line, "name");
    route.via = name_of(line, "via");
    route.state = text_of(line, "state");
    WATTLE_TRY(read_number(line, "metric", route.metric));
    WATTLE_TRY(read_number(line, "seqno", route.seqno));
    WATTLE_TRY(read_number(line, "fd_seqno", route.fd_seqno));
    WATTLE_TRY(read_number(line, "fd_metric", route.fd_metric));
    if (route.name.empty()) return Errc::BadValue;
    out.push_back(std::move(route));
  }
  return out;
}

Result<std::vector<WhyLine>> parse_why(const std::vector<std::string>& lines) {
  static constexpr std::string_view kHead = "INFO why ";
  std::vector<WhyLine> out;
  for (const std::string& text : lines) {
    if (!text.starts_with(kHead)) continue;
    const std::size_t colon = text.find(" : ");
    if (colon == std::string::npos || colon < kHead.size()) return Errc::BadValue;
    const Line line = WATTLE_TRY(parse_line(std::string_view(text).substr(0, colon)));
    if (line.words.size() != 3) return Errc::BadValue;
    WhyLine why;
    why.kind = line.words[2];
    WATTLE_TRY(read_number(line, "age_ms", why.age_ms));
    why.sentence = text.substr(colon + 3);
    for (const char c : why.sentence)
      if (c < 0x20 || c > 0x7e) return Errc::BadValue;
    out.push_back(std::move(why));
  }
  return out;
}

Result<WayReply> parse_way(const std::vector<std::string>& lines) {
  for (const std::string& text : lines) {
    if (!text.starts_with("ANS_WAY ")) continue;
    const Line line = WATTLE_TRY(parse_line(text));
    WayReply out;
    out.end = text_of(line, "end");
    for (const std::string_view hop : line.find_all("hop")) {
      const auto parts = split(hop, '/');
      if (parts.size() != 3 || parts[0].empty()) return Errc::BadValue;
      HopReply reply;
      reply.name = parts[0];
      reply.metric = WATTLE_TRY(parse_decimal(parts[1]));
      reply.rtt_us = WATTLE_TRY(parse_decimal(parts[2]));
      out.hops.push_back(std::move(reply));
    }
    return out;
  }
  return Errc::BadValue;
}

}  // namespace wattle::ctl
