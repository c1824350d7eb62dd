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
    put(json, "endpoint", probe.endpoint);
    out["probes"].push_back(std::move(json));
  }
  out["sent"] = summary.sent;
  out["received"] = summary.received;
  if (summary.received > 0)
    out["rtt_us"] = {{"min", summary.min_us}, {"avg", summary.avg_us}, {"max", summary.max_us}};
  return print(out);
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
