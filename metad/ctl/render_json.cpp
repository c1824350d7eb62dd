#include "metad/ctl/render_json.h"

#include <nlohmann/json.hpp>

#include "common/base/hex.h"

namespace wattle::ctl {

namespace {

using Json = nlohmann::ordered_json;

std::string print(const Json& json) {
  return json.dump(2, ' ', true, Json::error_handler_t::replace) + "\n";
}

Json schema_one() { return {{"schema", 1}}; }

void put(Json& object, const char* key, const std::string& text) {
  if (!text.empty()) object[key] = text;
}
void put(Json& object, const char* key, const std::optional<std::uint64_t>& number) {
  if (number) object[key] = *number;
}

Json peer_json(const PeerReply& peer) {
  Json out = {{"name", peer.name}};
  put(out, "address", peer.address);
  put(out, "ipv4", peer.ipv4);
  put(out, "ipv6", peer.ipv6);
  out["state"] = peer.state.empty() ? "known" : peer.state;
  put(out, "via", peer.via);
  put(out, "endpoint", peer.endpoint);
  put(out, "rtt_us", peer.rtt_us);
  put(out, "since", peer.since);
  put(out, "rx_bytes", peer.rx_bytes);
  put(out, "tx_bytes", peer.tx_bytes);
  out["roles"] = peer.roles;
  out["link"] = peer.link;
  return out;
}

}  // namespace

std::string json_status(const StatusView& view) {
  Json out = schema_one();
  out["running"] = view.running;
  Json network = {{"name", view.network}, {"id", to_hex(view.member.network_id)}};
  put(network, "document", view.reply.document);
  out["network"] = std::move(network);
  Json node = {{"name", view.member.name},
               {"address", view.member.address.text()},
               {"ipv4", view.member.ipv4.text()},
               {"ipv6", view.member.ipv6.text()},
               {"prefix", view.member.prefix.text()},
               {"mac", view.member.mac.text()},
               {"device", view.device}};
  put(node, "serial", view.reply.serial);
  put(node, "expires", view.reply.expires);
  put(node, "version", view.reply.version);
  out["node"] = std::move(node);
  Json processes = Json::array();
  if (view.running) processes.push_back({{"name", "metad"}, {"state", "up"}});
  for (const ProcessState& process : view.reply.processes)
    processes.push_back({{"name", process.name}, {"state", process.up ? "up" : "down"}});
  out["processes"] = std::move(processes);
  out["links"] = view.reply.links.value_or(0);
  out["peers"] = view.peers.size();
  Json counters = Json::object();
  for (const auto& [name, value] : view.reply.counters) counters[name] = value;
  out["counters"] = std::move(counters);
  out["hints"] = hints_of(view);
  return print(out);
}

std::string json_peers(const PeersView& view) {
  Json out = schema_one();
  out["network"] = view.network;
  out["peers"] = Json::array();
  for (const PeerReply& peer : view.peers) out["peers"].push_back(peer_json(peer));
  return print(out);
}

std::string json_ping(const PingView& view) {
  const PingSummary summary = summarize(view.probes);
  Json out = schema_one();
  out["network"] = view.network;
  out["peer"] = view.peer;
  out["probes"] = Json::array();
  std::size_t number = 0;
  for (const ProbeReply& probe : view.probes) {
    Json json = {{"number", ++number}, {"answered", probe.answered}};
    if (probe.answered) put(json, "rtt_us", probe.rtt_us);
    put(json, "way", probe.way);
    put(json, "via", probe.via);
    put(json, "endpoint", probe.endpoint);
    out["probes"].push_back(std::move(json));
  }
  out["sent"] = summary.sent;
  out["received"] = summary.received;
  if (summary.received > 0)
    out["rtt_us"] = {{"min", summary.min_us}, {"avg", summary.avg_us}, {"max", summary.max_us}};
  return print(out);
}

std::string json_routes(const RoutesView& view) {
  Json out = schema_one();
  out["network"] = view.network;
  out["routes"] = Json::array();
  for (const RouteReply& route : view.routes) {
    Json json = {{"name", route.name}, {"state", route.state}};
    put(json, "via", route.via);
    put(json, "metric", route.metric);
    put(json, "seqno", route.seqno);
    put(json, "fd_seqno", route.fd_seqno);
    put(json, "fd_metric", route.fd_metric);
    json["candidates"] = Json::array();
    for (const CandidateReply& candidate : route.candidates) {
      Json one = {{"via", candidate.via}};
      put(one, "told_seqno", candidate.told_seqno);
      put(one, "told_metric", candidate.told_metric);
      put(one, "cost", candidate.cost);
      one["feasible"] = candidate.feasible;
      one["selected"] = candidate.selected;
      one["held"] = candidate.held;
      one["reason"] = candidate.reason;
      json["candidates"].push_back(std::move(one));
    }
    out["routes"].push_back(std::move(json));
  }
  return print(out);
}

std::string json_why(const WhyView& view) {
  Json out = schema_one();
  out["network"] = view.network;
  out["peer"] = view.peer;
  out["lines"] = Json::array();
  for (const WhyLine& line : view.lines) {
    Json json = {{"kind", line.kind}};
    put(json, "age_ms", line.age_ms);
    json["sentence"] = line.sentence;
    out["lines"].push_back(std::move(json));
  }
  return print(out);
}

std::string json_trace(const TraceView& view) {
  Json out = schema_one();
  out["network"] = view.network;
  out["peer"] = view.peer;
  out["hops"] = Json::array();
  for (const HopReply& hop : view.way.hops) {
    Json json = {{"name", hop.name}};
    if (hop.metric != 0) json["metric"] = hop.metric;
    if (hop.rtt_us != 0) json["rtt_us"] = hop.rtt_us;
    out["hops"].push_back(std::move(json));
  }
  out["complete"] = view.way_failure.empty() && view.way.end.empty();
  put(out, "end", view.way.end);
  put(out, "failure", view.way_failure);
  Json probe = {{"answered", view.probe.answered}};
  if (view.probe.answered) put(probe, "rtt_us", view.probe.rtt_us);
  put(probe, "way", view.probe.way);
  put(probe, "via", view.probe.via);
  put(probe, "endpoint", view.probe.endpoint);
  out["probe"] = std::move(probe);
  return print(out);
}

std::string json_level(const LevelView& view) {
  Json out = schema_one();
  out["network"] = view.network;
  out["level"] = view.level;
  out["processes"] = view.processes;
  return print(out);
}

// "info metad: a link is active peer=bob": level, process and the rest.
std::string json_log_line(const std::string& line) {
  Json out = schema_one();
  const std::size_t blank = line.find(' '), colon = line.find(": ");
  if (colon != std::string::npos && blank < colon) {
    out["level"] = line.substr(0, blank);
    out["process"] = line.substr(blank + 1, colon - blank - 1);
    out["text"] = line.substr(colon + 2);
  } else {
    out["text"] = line;
  }
  return out.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

std::string json_version() {
  Json out = schema_one();
  out["version"] = WATTLE_VERSION;
  return print(out);
}

std::string json_failure(const Failure& failure) {
  Json out = schema_one();
  out["error"] = {{"exit", code(failure.exit)}, {"sentence", failure.sentence}};
  return print(out);
}

}  // namespace wattle::ctl
