#include "registry/admin/journal_view.h"

#include <algorithm>
#include <map>

namespace wattle::registry {
namespace {

class Builder {
 public:
  Builder(JournalView& view, UnixTime now) : view_(view), now_(now) {}

  Result<void> operator()(const GenesisEntry& e) {
    view_.genesis = WATTLE_TRY(parse_genesis(e.text));
    view_.genesis_text = e.text;
    view_.keys = KeyRing(view_.genesis);
    return {};
  }
  Result<void> operator()(const DocumentEntry& e) {
    view_.document = WATTLE_TRY(parse_network_document(
        e.text, view_.genesis.document_key, network_id(genesis_hash(view_.genesis_text))));
    return {};
  }
  Result<void> operator()(const InviteEntry& e) {
    if (e.expires > now_) open_[e.token] = true;
    invited_[e.token] = e.name;
    return {};
  }
  Result<void> operator()(const IssueEntry& e) {
    open_.erase(e.token);
    waiting_.erase(e.token);
    Node node;
    node.address = e.address;
    node.name = e.name;
    node.flags = e.flags;
    node.prefix6 = e.prefix6;
    node.ipv4 = e.ipv4;
    node.joined = time;
    WATTLE_TRY(certify(node, e));
    add(std::move(node));
    return {};
  }
  Result<void> operator()(const RenewEntry& e) {
    return certify(*WATTLE_TRY(member(e.address)), e);
  }
  Result<void> operator()(const RenameEntry& e) {
    WATTLE_TRY(member(e.address))->name = e.name;
    return {};
  }
  Result<void> operator()(const RevokeEntry& e) {
    WATTLE_TRY(member(e.address))->revoked = true;
    return {};
  }
  Result<void> operator()(const FlagsEntry& e) {
    WATTLE_TRY(member(e.address))->flags = e.flags;
    return {};
  }
  Result<void> operator()(const PolicyEntry& e) {
    view_.lifetime = e.lifetime;
    return {};
  }
  Result<void> operator()(const LostEntry&) {
    open_.clear();
    waiting_.clear();
    return {};
  }
  Result<void> operator()(const AdoptEntry& e) {
    if (at_.contains(e.address)) return certify(*WATTLE_TRY(member(e.address)), e);
    const Credential before = WATTLE_TRY(decode_credential(e.before));
    Node node;
    node.address = e.address;
    node.name = e.name;
    node.flags = e.flags;
    node.prefix6 = before.ipv6;
    node.ipv4 = before.ipv4.address;
    node.joined = time;
    WATTLE_TRY(certify(node, e));
    add(std::move(node));
    return {};
  }
  Result<void> operator()(const RotateEntry& e) {
    return view_.keys.rotate(e, network_id(genesis_hash(view_.genesis_text)), time);
  }
  Result<void> operator()(const RetireEntry& e) { return view_.keys.retire(e); }
  // The token is its machine's from then on: no open invite.
  Result<void> operator()(const PendingEntry& e) {
    open_.erase(e.token);
    waiting_[e.token] = {invited_[e.token], e.address, time, later(time), false};
    return {};
  }
  Result<void> operator()(const ApproveEntry& e) {
    if (!e.approved) {
      open_.erase(e.token);
      waiting_.erase(e.token);
    } else if (const auto at = waiting_.find(e.token); at != waiting_.end()) {
      at->second.approved = true;
      at->second.until = later(time);
    }
    return {};
  }
  std::vector<WaitingJoin> waiting() const {
    std::vector<WaitingJoin> out;
    for (const auto& [token, join] : waiting_)
      if (join.until > now_) out.push_back(join);
    std::stable_sort(out.begin(), out.end(),
                     [](const WaitingJoin& a, const WaitingJoin& b) { return a.since < b.since; });
    return out;
  }
  std::size_t open_invites() const { return open_.size(); }

  UnixTime time;  // of the entry

 private:
  void add(Node node) {
    at_[node.address] = view_.nodes.size();
    view_.nodes.push_back(std::move(node));
  }
  static UnixTime later(UnixTime time) { return {time.seconds + kPendingLife}; }
  template <typename E>
  Result<void> certify(Node& node, const E& e) {
    node.credential_key = view_.keys.newest(KeyKind::Credential);
    node.ca = view_.keys.newest(KeyKind::Ca);
    node.credential = WATTLE_TRY(decode_credential(e.credential));
    node.certified_name = e.name;
    node.certified_flags = e.flags;
    node.serial = e.serial;
    return {};
  }
  Result<Node*> member(const NodeAddress& address) {
    const auto at = at_.find(address);
    if (at == at_.end()) return Error(Errc::BadValue, "the signer's journal names a stranger");
    return &view_.nodes[at->second];
  }

  JournalView& view_;
  UnixTime now_;
  std::map<TokenId, bool> open_;
  std::map<TokenId, std::string> invited_;
  std::map<TokenId, WaitingJoin> waiting_;
  std::map<NodeAddress, std::size_t> at_;
};

}  // namespace

const char* Node::state(UnixTime now) const {
  if (revoked) return "revoked";
  if (credential.not_after <= now) return "expired";
  return name != certified_name || flags != certified_flags || old_keys ? "renews" : "member";
}

const Node* JournalView::find(const std::string& name) const {
  const Node* found = nullptr;
  for (const Node& node : nodes)
    if (node.name == name && (found == nullptr || !node.revoked)) found = &node;
  return found;
}

Result<JournalView> view_of(const std::vector<Entry>& entries, const std::string& network,
                            UnixTime now) {
  JournalView view;
  view.network = network;
  Builder builder(view, now);
  for (const Entry& entry : entries) {
    builder.time = entry.time;
    WATTLE_TRY(std::visit(builder, entry.body));
  }
  for (Node& node : view.nodes)
    node.old_keys = node.credential_key != view.keys.newest(KeyKind::Credential) ||
                    node.ca != view.keys.newest(KeyKind::Ca);
  view.open_invites = builder.open_invites();
  view.waiting = builder.waiting();
  return view;
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

}  // namespace wattle::registry
