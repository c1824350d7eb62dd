// node list, node show, network show, key list: read from the signer's journal, for people or as
// JSON.
#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/base/hex.h"
#include "common/os/clock.h"
#include "common/proto/network_document.h"
#include "registry/admin/journal_view.h"
#include "registry/admin/verbs.h"

namespace wattle::registry {

std::string time_text(UnixTime time) {
  const auto seconds = static_cast<std::time_t>(time.seconds);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%SZ", &parts);
  return text.data();
}

namespace {

using Json = nlohmann::ordered_json;

Json json_of(const Node& node, UnixTime now) {
  Json json;
  json["name"] = node.name;
  json["state"] = node.state(now);
  json["certified_name"] = node.certified_name;
  json["address"] = node.address.text();
  json["ipv4"] = node.ipv4.text();
  json["ipv6"] = node.credential.address6().text();
  json["prefix"] = node.prefix6.text();
  json["mac"] = node.credential.mac.text();
  json["serial"] = node.serial;
  json["roles"] = roles_text(node.flags);
  json["joined"] = node.joined.seconds;
  json["expires"] = node.credential.not_after.seconds;
  return json;
}

void print_waiting(const std::vector<WaitingJoin>& waiting) {
  if (waiting.empty()) return;
  std::printf("\nWaiting for wattle-registry node approve NAME (or node reject NAME):\n");
  std::printf("%-20s %-21s %-8s %s\n", "NAME", "SINCE", "STATE", "ADDRESS");
  for (const WaitingJoin& join : waiting)
    std::printf("%-20s %-21s %-8s %s\n", join.name.c_str(), time_text(join.since).c_str(),
                join.approved ? "approved" : "waits", join.address.text().c_str());
}

Json waiting_json(const std::vector<WaitingJoin>& waiting) {
  Json out = Json::array();
  for (const WaitingJoin& join : waiting)
    out.push_back({{"name", join.name},
                   {"state", join.approved ? "approved" : "waits"},
                   {"address", join.address.text()},
                   {"since", join.since.seconds},
                   {"until", join.until.seconds}});
  return out;
}

int print(const Json& json) {
  std::printf("%s\n", json.dump(2).c_str());
  return 0;
}

int list_nodes(const JournalView& whole, bool as_json) {
  const UnixTime now = os::unix_now();
  if (as_json) {
    Json json;
    json["schema"] = 1;
    json["network"] = whole.network;
    json["nodes"] = Json::array();
    for (const Node& node : whole.nodes) json["nodes"].push_back(json_of(node, now));
    json["waiting"] = waiting_json(whole.waiting);
    return print(json);
  }
  if (whole.nodes.empty()) {
    std::printf("network %s has no members yet: wattle-registry invite NAME\n",
                whole.network.c_str());
    print_waiting(whole.waiting);
    return 0;
  }
  std::printf("%-20s %-15s %-28s %-12s %-8s %s\n", "NAME", "IPV4", "IPV6", "ROLES", "STATE",
              "EXPIRES");
  for (const Node& node : whole.nodes) {
    const std::string roles = roles_text(node.flags);
    std::printf("%-20s %-15s %-28s %-12s %-8s %s\n", node.name.c_str(), node.ipv4.text().c_str(),
                node.credential.address6().text().c_str(), roles.empty() ? "-" : roles.c_str(),
                node.state(now), time_text(node.credential.not_after).c_str());
  }
  print_waiting(whole.waiting);
  return 0;
}

int show_node(const JournalView& whole, const std::string& name, bool as_json) {
  const Node* at = whole.find(name);
  const UnixTime now = os::unix_now();
  if (at == nullptr)
    return fail(Exit::General, "network " + whole.network + " has no member " + name +
                                   ": wattle-registry node list shows them");
  if (as_json) {
    Json json;
    json["schema"] = 1;
    json["network"] = whole.network;
    json["node"] = json_of(*at, now);
    return print(json);
  }
  const std::string roles = roles_text(at->flags);
  const auto line = [](const char* what, const std::string& value) {
    std::printf("%-12s %s\n", what, value.c_str());
  };
  line("name", at->name);
  line("state", at->state(now));
  if (at->certified_name != at->name) line("certified as", at->certified_name);
  line("address", at->address.text());
  line("ipv4", at->ipv4.text());
  line("ipv6", at->credential.address6().text());
  line("prefix", at->prefix6.text());
  line("mac", at->credential.mac.text());
  line("serial", std::to_string(at->serial));
  line("roles", roles.empty() ? "-" : roles);
  line("joined", time_text(at->joined));
  line("expires", time_text(at->credential.not_after));
  return 0;
}

int show_network(const JournalView& whole, bool as_json) {
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
    json["waiting"] = whole.waiting.size();
    json["document"] = {{"version", whole.document.version},
                        {"time", whole.document.time.seconds},
                        {"registries", whole.document.registries},
                        {"mtu", whole.document.mtu},
                        {"broadcast", whole.document.broadcast},
                        {"min-protocol", whole.document.min_protocol},
                        {"ttl", whole.document.ttl},
                        {"reissue", whole.document.reissue.size()},
                        {"revoked", whole.document.revoked.size()}};
    json["lifetime"] = whole.lifetime;
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
  if (!whole.waiting.empty()) line("waiting", std::to_string(whole.waiting.size()) + " joins");
  line("document", "version " + std::to_string(whole.document.version) + ", signed " +
                       time_text(whole.document.time));
  for (const std::string& url : whole.document.registries) line("registry", url);
  line("mtu", std::to_string(whole.document.mtu));
  line("broadcast", whole.document.broadcast ? "yes" : "no");
  line("min-protocol", std::to_string(whole.document.min_protocol));
  line("ttl", std::to_string(whole.document.ttl) + " s");
  line("lifetime", std::to_string(whole.lifetime) + " s of a certificate");
  line("to renew", std::to_string(whole.document.reissue.size()));
  line("revoked", std::to_string(whole.document.revoked.size()));
  return 0;
}

// One key of the network, and the members whose newest certificate it signed and is good still.
struct KeyRow {
  std::string kind;
  const char* state = "";  // "signs"; "accepted": beside the newer one; "retired"
  UnixTime since;
  std::string fingerprint;
  std::vector<std::string> members;
};

std::vector<KeyRow> key_rows(const JournalView& whole, UnixTime now) {
  constexpr std::size_t kFingerprint = 16;  // digits
  std::vector<KeyRow> out;
  for (const KeyKind kind : {KeyKind::Document, KeyKind::Credential, KeyKind::Ca}) {
    const auto& keys = whole.keys.keys(kind);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const KeyRing::Key& key = keys[i];
      const ByteView bytes = kind == KeyKind::Ca ? ByteView(key.ca_der) : ByteView(key.key);
      KeyRow row{std::string(key_kind_name(kind)),
                 i + 1 == keys.size() ? "signs" : (key.in_force ? "accepted" : "retired"),
                 key.since,
                 to_hex(crypto::sha256(bytes)).substr(0, kFingerprint),
                 {}};
      for (const Node& node : whole.nodes) {
        const bool living = !node.revoked && node.credential.not_after > now;
        const std::size_t its = kind == KeyKind::Ca ? node.ca : node.credential_key;
        if (kind != KeyKind::Document && living && its == i) row.members.push_back(node.name);
      }
      out.push_back(std::move(row));
    }
  }
  return out;
}

int list_keys(const JournalView& whole, bool as_json) {
  const std::vector<KeyRow> rows = key_rows(whole, os::unix_now());
  if (as_json) {
    Json json;
    json["schema"] = 1;
    json["network"] = whole.network;
    json["keys"] = Json::array();
    for (const KeyRow& row : rows)
      json["keys"].push_back({{"kind", row.kind},
                              {"state", row.state},
                              {"since", row.since.seconds},
                              {"fingerprint", row.fingerprint},
                              {"members", row.members}});
    return print(json);
  }
  std::printf("%-11s %-9s %-21s %-17s %s\n", "KIND", "STATE", "SINCE", "FINGERPRINT", "MEMBERS");
  for (const KeyRow& row : rows) {
    std::string members;
    for (const std::string& name : row.members) members += (members.empty() ? "" : ",") + name;
    std::printf("%-11s %-9s %-21s %-17s %s\n", row.kind.c_str(), row.state,
                time_text(row.since).c_str(), row.fingerprint.c_str(),
                members.empty() ? "-" : members.c_str());
  }
  return 0;
}

Result<JournalView> load(const Settings& settings) {
  const std::string network = WATTLE_TRY(choose_network(settings));
  const auto link = WATTLE_TRY(AdminLink::connect(os::Paths(network, settings.root), network));
  const std::vector<Entry> entries = WATTLE_TRY(link->read_journal());
  return view_of(entries, network, os::unix_now());
}

}  // namespace

int show_nodes(const Settings& settings) {
  const auto whole = load(settings);
  if (!whole) return fail(whole.error());
  return settings.object == "list" ? list_nodes(*whole, settings.json)
                                   : show_node(*whole, settings.detail, settings.json);
}

int show_network(const Settings& settings) {
  const auto whole = load(settings);
  return whole ? show_network(*whole, settings.json) : fail(whole.error());
}

int show_keys(const Settings& settings) {
  const auto whole = load(settings);
  return whole ? list_keys(*whole, settings.json) : fail(whole.error());
}

}  // namespace wattle::registry
