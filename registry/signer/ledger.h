// What the signer knows: its journal, replayed. Pure; the only way to change it is apply(), so
// state after a restart equals state before it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "common/proto/network_document.h"
#include "registry/core/journal_entry.h"
#include "registry/core/prefix_pool.h"

namespace wattle::signer {

struct Invite {
  registry::InviteEntry entry;
  bool used = false;
};

class Ledger {
 public:
  // The next entry of the chain. Errors are one sentence that names the entry's sequence number: a
  // break of the chain, or an entry that contradicts an earlier one.
  Result<void> apply(const registry::Entry& entry);

  bool has_genesis() const { return genesis_.has_value(); }
  const Genesis& genesis() const { return *genesis_; }
  const std::string& genesis_text() const { return genesis_text_; }
  const NetworkId& network() const { return network_; }

  const NetworkDocument& document() const { return document_; }
  const std::string& document_text() const { return document_text_; }

  const Invite* find_invite(const TokenId& token) const;
  // The entry a token was used for, or null.
  const registry::IssueEntry* find_issue(const TokenId& token) const;
  // True if a member has the name, or an unused invite that has not expired reserves it.
  bool is_name_held(const std::string& name, UnixTime now) const;
  bool is_member_name(const std::string& name) const { return names_.contains(name); }
  const NodeAddress* member_of(const ShortId& id) const;
  const NodeAddress* member_of(const MacAddress& mac) const;
  bool is_member(const NodeAddress& address) const { return members_.contains(address); }
  bool is_prefix_free(std::string_view bits) const;
  bool is_ipv4_free(const IpAddress& address) const { return !ipv4_.contains(address); }

  std::uint64_t next_sequence() const { return next_sequence_; }
  std::uint64_t last_serial() const { return last_serial_; }
  const crypto::Hash& last_hash() const { return last_hash_; }
  std::size_t member_count() const { return members_.size(); }

 private:
  Result<void> apply_body(const registry::GenesisEntry& e);
  Result<void> apply_body(const registry::DocumentEntry& e);
  Result<void> apply_body(const registry::InviteEntry& e);
  Result<void> apply_body(const registry::IssueEntry& e);

  std::optional<Genesis> genesis_;
  std::string genesis_text_;
  NetworkId network_{};
  NetworkDocument document_;
  std::string document_text_;
  std::map<TokenId, Invite> invites_;
  std::multimap<std::string, TokenId> invited_names_;
  std::map<TokenId, registry::IssueEntry> issues_;
  std::set<NodeAddress> members_;
  std::map<ShortId, NodeAddress> short_ids_;
  std::map<MacAddress, NodeAddress> macs_;
  std::set<std::string> names_;
  std::set<IpAddress> ipv4_;
  std::optional<registry::PrefixPool> prefixes_;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t last_serial_ = 0;
  crypto::Hash last_hash_{};
};

}  // namespace wattle::signer
