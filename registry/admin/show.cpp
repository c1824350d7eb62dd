// node list, node show, network show: read from the signer's journal, for people or as JSON.
#include <unistd.h>
#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/base/hex.h"
#include "common/os/clock.h"
#include "common/proto/network_document.h"
#include "registry/admin/admin_link.h"
#include "registry/admin/verbs.h"

namespace wattle::registry {
namespace {

using Json = nlohmann::ordered_json;

struct Node {
  IssueEntry issue;
  UnixTime joined;
  Credential credential;
};

struct Whole {
  std::string network;
  Genesis genesis;
  std::string genesis_text;
  NetworkDocument document;
  std::vector<Node> nodes;
  std::size_t open_invites = 0;
};

std::string time_text(UnixTime time) {
  const auto seconds = static_cast<std::time_t>(time.seconds);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%SZ", &parts);
  return text.data();
}

std::string roles_text(std::uint8_t flags) {
  constexpr std::pair<std::uint8_t, const char*> kRoles[] = {
      {kFlagRelay, "relay"}, {kFlagBridge, "bridge"},   {kFlagRouter, "router"},
      {kFlagDhcp, "dhcp"},   {kFlagGateway, "gateway"}, {kFlagLeaf, "leaf"}};
  std::string out;
  for (const auto& [flag, name] : kRoles)
    if ((flags & flag) != 0) out += (out.empty() ? "" : ",") + std::string(name);
  return out;
}

// The journal, as far as people ask for it.
Result<Whole> whole_of(const std::vector<Entry>& entries, const std::string& network,
                       UnixTime now) {
  Whole whole;
  whole.network = network;
  std::vector<InviteEntry> invites;
  for (const Entry& entry : entries) {
    if (const auto* g = std::get_if<GenesisEntry>(&entry.body)) {
      whole.genesis = WATTLE_TRY(parse_genesis(g->text));
      whole.genesis_text = g->text;
    } else if (const auto* d = std::get_if<DocumentEntry>(&entry.body)) {
      whole.document = WATTLE_TRY(parse_network_document(
          d->text, whole.genesis.document_key, network_id(genesis_hash(whole.genesis_text))));
    } else if (const auto* i = std::get_if<InviteEntry>(&entry.body)) {
      if (i->expires > now) invites.push_back(*i);
    } else if (const auto* e = std::get_if<IssueEntry>(&entry.body)) {
      Credential credential = WATTLE_TRY(decode_credential(e->credential));
      whole.nodes.push_back({*e, entry.time, credential});
      std::erase_if(invites, [e](const InviteEntry& open) { return open.token == e->token; });
    }
  }
  whole.open_invites = invites.size();
  return whole;
}

Json json_of(const Node& node) {
  Json json;
  json["name"] = node.issue.name;
  json["address"] = node.issue.address.text();
  json["ipv4"] = node.issue.ipv4.text();
  json["ipv6"] = node.credential.address6().text();
  json["prefix"] = node.issue.prefix6.text();
  json["mac"] = node.credential.mac.text();
  json["serial"] = node.issue.serial;
  json["roles"] = roles_text(node.issue.flags);
  json["joined"] = node.joined.seconds;
  json["expires"] = node.credential.not_after.seconds;
  return json;
}

int print(const Json& json) {
  std::printf("%s\n", json.dump(2).c_str());
  return 0;
}

int list_nodes(const Whole& whole, bool as_json) {
  if (as_json) {
    Json json;
    json["schema"] = 1;
    json["network"] = whole.network;
    json["nodes"] = Json::array();
    for (const Node& node : whole.nodes) json["nodes"].push_back(json_of(node));
    return print(json);
  }
  if (whole.nodes.empty()) {
    std::printf("network %s has no members yet: wattle-registry invite NAME\n",
                whole.network.c_str());
    return 0;
  }
  std::printf("%-20s %-15s %-28s %-12s %s\n", "NAME", "IPV4", "IPV6", "ROLES", "JOINED");
  for (const Node& node : whole.nodes) {
    const std::string roles = roles_text(node.issue.flags);
    std::printf("%-20s %-15s %-28s %-12s %s\n", node.issue.name.c_str(),
                node.issue.ipv4.text().c_str(), node.credential.address6().text().c_str(),
                roles.empty() ? "-" : roles.c_str(), time_text(node.joined).c_str());
  }
  return 0;
}

int show_node(const Whole& whole, const std::string& name, bool as_json) {
  const auto at = std::find_if(whole.nodes.begin(), whole.nodes.end(),
                               [&](const Node& node) { return node.issue.name == name; });
  if (at == whole.nodes.end())
    return fail(Exit::General, "network " + whole.network + " has no member " + name +
                                   ": wattle-registry node list shows them");
  if (as_json) {
    Json json;
    json["schema"] = 1;
    json["network"] = whole.network;
    json["node"] = json_of(*at);
    return print(json);
  }
  const std::string roles = roles_text(at->issue.flags);
  const auto line = [](const char* what, const std::string& value) {
    std::printf("%-12s %s\n", what, value.c_str());
  };
  line("name", at->issue.name);
  line("address", at->issue.address.text());
  line("ipv4", at->issue.ipv4.text());
  line("ipv6", at->credential.address6().text());
  line("prefix", at->issue.prefix6.text());
  line("mac", at->credential.mac.text());
  line("serial", std::to_string(at->issue.serial));
  line("roles", roles.empty() ? "-" : roles);
  line("joined", time_text(at->joined));
  line("expires", time_text(at->credential.not_after));
  return 0;
}

int show_network(const Whole& whole, bool as_json) {
  const crypto::Hash hash = genesis_hash(whole.genesis_text);
  const NetworkId id = network_id(hash);
  if (as_json) {
    Json json;
    json["schema"] = 1;
    json["network"] = whole.network;
    json["id"] = to_hex(id);
    json["genesis"] = to_hex(hash);
    json["prefix"] = whole.genesis.prefix.text();
    json["ipv4"] = whole.genesis.ipv4.text();
    json["created"] = whole.genesis.created.seconds;
    json["members"] = whole.nodes.size();
    json["open_invites"] = whole.open_invites;
    json["document"] = {{"version", whole.document.version},
                        {"time", whole.document.time.seconds},
                        {"registries", whole.document.registries},
                        {"revoked", whole.document.revoked.size()}};
    return print(json);
  }
  const auto line = [](const char* what, const std::string& value) {
    std::printf("%-12s %s\n", what, value.c_str());
  };
  line("network", whole.network);
  line("id", to_hex(id));
  line("prefix", whole.genesis.prefix.text());
  line("ipv4", whole.genesis.ipv4.text());
  line("created", time_text(whole.genesis.created));
  line("members", std::to_string(whole.nodes.size()));
  line("invites", std::to_string(whole.open_invites) + " open");
  line("document", "version " + std::to_string(whole.document.version) + ", signed " +
                       time_text(whole.document.time));
  for (const std::string& url : whole.document.registries) line("registry", url);
  return 0;
}

Result<Whole> load(const Settings& settings) {
  const std::string network = WATTLE_TRY(choose_network(settings));
  const auto link = WATTLE_TRY(AdminLink::connect(os::Paths(network, settings.root), network));
  const std::vector<Entry> entries = WATTLE_TRY(link->read_journal());
  return whole_of(entries, network, os::unix_now());
}

}  // namespace

int run_node(const Settings& settings) {
  const bool list = settings.object == "list" && settings.detail.empty();
  const bool show = settings.object == "show" && !settings.detail.empty();
  if (!list && !show) return fail(Exit::Usage, "say wattle-registry node list, or node show NAME");
  if (geteuid() != 0) return fail(Exit::NotRoot, "only root may ask the signer: run it with sudo");
  const auto whole = load(settings);
  if (!whole) return fail(whole.error());
  return list ? list_nodes(*whole, settings.json)
              : show_node(*whole, settings.detail, settings.json);
}

int run_network(const Settings& settings) {
  if (settings.object != "show" || !settings.detail.empty())
    return fail(Exit::Usage, "say wattle-registry network show");
  if (geteuid() != 0) return fail(Exit::NotRoot, "only root may ask the signer: run it with sudo");
  const auto whole = load(settings);
  return whole ? show_network(*whole, settings.json) : fail(whole.error());
}

}  // namespace wattle::registry
