// DUMP: what there is, as text.
#include <algorithm>

#include "common/base/hex.h"
#include "metad/core/engine.h"
#include "metad/core/link_cost.h"
#include "metad/core/route_words.h"

namespace wattle::metad {
namespace {

using Keys = std::vector<std::pair<std::string_view, std::string>>;

std::string up_or_down(bool up) { return up ? "up" : "down"; }

std::string roles_of(std::uint8_t flags) {
  static constexpr std::pair<std::uint8_t, std::string_view> kRoles[] = {
      {kFlagRelay, "relay"}, {kFlagBridge, "bridge"},   {kFlagRouter, "router"},
      {kFlagDhcp, "dhcp"},   {kFlagGateway, "gateway"}, {kFlagLeaf, "leaf"}};
  std::string out;
  for (const auto& [flag, name] : kRoles)
    if ((flags & flag) != 0) out.append(out.empty() ? "" : ",").append(name);
  return out;
}

// A live session tells how its packets go; where they do not, the routing table and the links tell
// whether they could.
std::string_view state_name(const meta_link::PeerState& state, bool could_be, bool silent) {
  const std::string_view without = could_be ? "known" : "unreachable";
  if (state.state == meta_link::SessionState::Handshake) return "handshake";
  if (state.state != meta_link::SessionState::Live || silent || !has_way(state)) return without;
  return way_name(state.way);
}

std::string yes_or_no(bool yes) { return yes ? "yes" : "no"; }

std::string print_metric(Metric metric) {
  return metric == kUnreachable ? "-" : std::to_string(metric);
}

std::string_view link_way_name(meta_link::LinkWay way) {
  switch (way) {
    case meta_link::LinkWay::Udp:
      return "udp";
    case meta_link::LinkWay::Carried:
      return "carried";
    case meta_link::LinkWay::Down:
      break;
  }
  return "down";
}

std::string misfit_name(bool newer) { return newer ? "too-new" : "too-old"; }

std::string_view stage_name(Stage stage) {
  switch (stage) {
    case Stage::Fresh:
      return "fresh";
    case Stage::Identified:
      return "identified";
    case Stage::Exchange:
      return "exchange";
    case Stage::Active:
      return "active";
    default:
      return "closing";
  }
}

// The member's own address in its prefix (common/proto/credential.h), from a hint.
IpAddress address6_of(const IpPrefix& prefix) {
  IpAddress out = prefix.address;
  if (prefix.length < 128) out.bytes[15] |= 1;
  return out;
}

}  // namespace

void Engine::dump_status(ControlId id, Now now) {
  say(id, info_line("node", {{"name", setup_.name},
                             {"address", setup_.address.text()},
                             {"serial", std::to_string(setup_.serial)},
                             {"expires", std::to_string(setup_.expires.seconds)},
                             {"version", setup_.version}}));
  say(id, info_line("network", {{"name", setup_.network_name},
                                {"id", to_hex(setup_.network)},
                                {"document", std::to_string(document_ ? document_->version : 0)}}));
  say(id, info_line("process", {{"name", "cryptod"}, {"state", up_or_down(cryptod_)}}));
  say(id, info_line("process", {{"name", "tapd"}, {"state", up_or_down(tapd_)}}));
  say(id, info_line("process", {{"name", "keyd"}, {"state", up_or_down(keyd_)}}));
  const auto active = std::count_if(links_.begin(), links_.end(), [](const auto& item) {
    return item.second.stage() == Stage::Active;
  });
  for (const std::string& trouble :
       standing_.troubles(now.unix, setup_.expires, document_ ? document_->version : 0)) {
    std::string line = "INFO trouble : ";
    for (const char c : trouble) line += c >= 0x20 && c < 0x7f ? c : '?';
    say(id, std::move(line));
  }
  say(id, info_line("links", {{"count", std::to_string(active)}}));
  for (const auto& [name, value] : counters_)
    say(id, info_line("counter", {{"name", "meta." + name}, {"value", std::to_string(value)}}));
  for (const meta_link::Counter& counter : cryptod_counters_)
    say(id, info_line("counter", {{"name", "crypto." + counter.name},
                                  {"value", std::to_string(counter.value)}}));
  say(id, "END");
}

void Engine::dump_peers(ControlId id) {
  for (const auto& [address, host] : nodes_.hosts()) {
    Keys keys = {{"name", nodes_.label(address)}, {"address", address.text()}};
    const KeyBroker::Entry* entry = broker_.find(address);
    if (entry != nullptr) {
      const Credential& credential = entry->accepted.credential;
      keys.emplace_back("ipv4", credential.ipv4.address.text());
      keys.emplace_back("ipv6", credential.address6().text());
    } else {
      for (const Subnet& subnet : owners_.subnets(address)) {
        if (subnet.kind == Subnet::Kind::IPv4)
          keys.emplace_back("ipv4", subnet.prefix.address.text());
        if (subnet.kind == Subnet::Kind::IPv6)
          keys.emplace_back("ipv6", address6_of(subnet.prefix).text());
      }
    }
    const auto session = sessions_.find(address);
    meta_link::PeerState state;
    if (session != sessions_.end()) state = session->second;
    if (!cryptod_) state.state = meta_link::SessionState::None;
    const auto misfit = misfits_.find(address);
    // Also while an old session still carries frames: it will not be renewed.
    const bool other_protocol = misfit != misfits_.end() && !talk_to(address);
    // A host of which no way is known may have been told by the registry or a file: a direct
    // attempt is still made.
    const bool silent = is_silent(address, state);
    const bool could_be = router_.entry(address).state == TableEntry::State::Reachable ||
                          (talk_to(address) && !silent);
    keys.emplace_back("state", other_protocol ? misfit_name(misfit->second.newer)
                                              : std::string(state_name(state, could_be, silent)));
    if (state.state == meta_link::SessionState::Live && state.way == meta_link::PeerWay::Routed &&
        has_way(state)) {
      NodeAddress hop;
      hop.bytes = state.first_hop;
      keys.emplace_back("via", nodes_.label(hop));
    }
    if (state.has_endpoint) keys.emplace_back("endpoint", state.endpoint.text());
    if (state.rtt_us != 0) keys.emplace_back("rtt_us", std::to_string(state.rtt_us));
    if (state.since != 0) keys.emplace_back("since", std::to_string(state.since));
    keys.emplace_back("rx_bytes", std::to_string(state.rx_bytes));
    keys.emplace_back("tx_bytes", std::to_string(state.tx_bytes));
    if (entry != nullptr && entry->accepted.credential.flags != 0)
      keys.emplace_back("roles", roles_of(entry->accepted.credential.flags));
    keys.emplace_back("link", talk_to(address) ? "yes" : "no");
    say(id, info_line("peer", keys));
  }
  for (const auto& [address, misfit] : misfits_)
    if (nodes_.find(address) == nullptr)
      say(id, info_line("peer", {{"name", misfit.name},
                                 {"address", address.text()},
                                 {"state", misfit_name(misfit.newer)},
                                 {"link", "no"}}));
  say(id, "END");
}

// Links, and the neighbours whose links have ended and are held.
void Engine::dump_links(ControlId id, Now now) {
  const auto data_path = [&](const NodeAddress& address, Keys& keys) {
    const auto at = health_.find(address);
    if (at == health_.end()) {
      keys.emplace_back("way", "unknown");
      return;
    }
    const meta_link::LinkState& state = at->second.state;
    keys.emplace_back("way", std::string(link_way_name(state.way)));
    keys.emplace_back("cost", print_metric(link_cost(state)));
    if (state.rtt_us != 0) keys.emplace_back("rtt_us", std::to_string(state.rtt_us));
    keys.emplace_back("loss_permille", std::to_string(state.loss_permille));
  };
  std::set<NodeAddress> linked;
  for (const auto& [link_id, link] : links_) {
    linked.insert(link.address());
    Keys keys = {{"name", link.up().name},
                 {"address", link.address().text()},
                 {"endpoint", link.up().remote.text()},
                 {"dialled", yes_or_no(link.up().dialled)},
                 {"state", std::string(stage_name(link.stage()))}};
    data_path(link.address(), keys);
    keys.emplace_back("held", "no");
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(now.mono - link.since());
    keys.emplace_back("since",
                      std::to_string(now.unix.seconds - static_cast<std::uint64_t>(age.count())));
    say(id, info_line("link", keys));
  }
  for (const NodeAddress& address : router_.neighbours()) {
    if (linked.contains(address) || !router_.is_held(address)) continue;
    Keys keys = {{"name", nodes_.label(address)}, {"address", address.text()}, {"state", "closed"}};
    data_path(address, keys);
    keys.emplace_back("held", "yes");
    say(id, info_line("link", keys));
  }
}

void Engine::dump_routes(ControlId id) {
  std::set<NodeAddress> destinations;
  for (const auto& [address, host] : nodes_.hosts()) destinations.insert(address);
  for (const NodeAddress& address : router_.destinations())
    if (address != setup_.address) destinations.insert(address);
  for (const NodeAddress& address : destinations) {
    const std::string name = nodes_.label(address);
    const TableEntry entry = router_.entry(address);
    const bool reachable = entry.state == TableEntry::State::Reachable;
    Keys keys = {{"name", name},
                 {"via", reachable ? nodes_.label(entry.next_hop) : "-"},
                 {"metric", reachable ? print_metric(entry.chosen.metric) : "-"},
                 {"seqno", reachable ? std::to_string(entry.chosen.seqno) : "-"}};
    const bool bound = entry.feasibility.metric != kUnreachable;
    keys.emplace_back("fd_seqno", bound ? std::to_string(entry.feasibility.seqno) : "-");
    keys.emplace_back("fd_metric", print_metric(entry.feasibility.metric));
    keys.emplace_back("state", std::string(state_word(entry.state)));
    say(id, info_line("route", keys));
    for (const Candidate& candidate : router_.candidates(address))
      say(id, info_line("candidate", {{"name", name},
                                      {"via", nodes_.label(candidate.neighbour)},
                                      {"told_seqno", std::to_string(candidate.told.seqno)},
                                      {"told_metric", print_metric(candidate.told.metric)},
                                      {"cost", print_metric(candidate.cost)},
                                      {"feasible", yes_or_no(candidate.feasible)},
                                      {"selected", yes_or_no(candidate.selected)},
                                      {"held", yes_or_no(candidate.held)},
                                      {"reason", reason_word(candidate, entry)}}));
  }
}

void Engine::dump_table(ControlId id, std::string_view what, Now now) {
  if (what == "HOSTS") {
    if (own_.current()) say(id, print_request(print_origin(*own_.current())));
    for (const auto& [address, host] : nodes_.hosts())
      say(id, print_request(print_origin(host.origin)));
  } else if (what == "SUBNETS") {
    const auto list = [&](const std::string& owner, const std::vector<Subnet>& subnets) {
      for (const Subnet& subnet : subnets) {
        Request line;
        line.verb = Verb::AddSubnet;
        line.values = {Value(owner), Value(subnet)};
        say(id, print_request(line));
      }
    };
    if (credential_) list(setup_.name, granted_subnets(*credential_));
    for (const auto& [address, host] : nodes_.hosts())
      list(nodes_.label(address), owners_.subnets(address));
  } else if (what == "LINKS") {
    dump_links(id, now);
  } else if (what == "ROUTES") {
    dump_routes(id);
  } else {
    const auto list = [&](const std::string& owner, const Bytes& answer) {
      Request line;
      line.verb = Verb::AnsKey;
      line.values = {Value(owner), Value(setup_.name), Value(answer)};
      say(id, print_request(line));
    };
    if (!own_answer_.empty()) list(setup_.name, own_answer_);
    for (const NodeAddress& address : broker_.addresses())
      list(nodes_.label(address), broker_.find(address)->answer);
  }
  say(id, "END");
}

}  // namespace wattle::metad
