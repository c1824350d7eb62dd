// DUMP: what there is, as text.
#include <algorithm>

#include "common/base/hex.h"
#include "metad/core/engine.h"

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

std::string_view state_name(meta_link::SessionState state) {
  switch (state) {
    case meta_link::SessionState::Live:
      return "direct";
    case meta_link::SessionState::Handshake:
      return "handshake";
    case meta_link::SessionState::None:
      break;
  }
  return "known";
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

void Engine::dump_status(ControlId id) {
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
    Keys keys = {{"name", host.origin.record.name}, {"address", address.text()}};
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
    const bool other_protocol =
        misfit != misfits_.end() && state.state != meta_link::SessionState::Live;
    keys.emplace_back("state", other_protocol ? misfit_name(misfit->second.newer)
                                              : std::string(state_name(state.state)));
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

void Engine::dump_table(ControlId id, std::string_view what) {
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
    for (const auto& [link_id, link] : links_)
      say(id, info_line("link", {{"name", link.up().name},
                                 {"address", link.address().text()},
                                 {"endpoint", link.up().remote.text()},
                                 {"dialled", link.up().dialled ? "yes" : "no"},
                                 {"state", std::string(stage_name(link.stage()))}}));
  } else if (what == "ROUTES") {
    for (const auto& [address, host] : nodes_.hosts()) {
      Keys keys = {{"name", nodes_.label(address)}};
      const TableEntry entry = router_.entry(address);
      const bool reachable = entry.state == TableEntry::State::Reachable;
      keys.emplace_back("via", reachable ? nodes_.label(entry.next_hop) : "-");
      say(id, info_line("route", keys));
    }
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
