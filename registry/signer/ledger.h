// What the signer knows: its journal, replayed. Pure; the only way to change it is apply(), so
// state after a restart equals state before it.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/proto/network_document.h"
#include "registry/core/journal_entry.h"
#include "registry/core/key_ring.h"
#include "registry/core/prefix_pool.h"

namespace wattle::signer {

struct Asked {  // the machine that waits for approval with an invite
  NodeAddress address;
  crypto::Hash csr_hash{};
};
enum class Decision : std::uint8_t { None, Approved, Rejected };

struct Invite {
  registry::InviteEntry entry;
  bool used = false;
  bool is_void = false;  // from before a loss of the journal, which may have lost its use
  std::optional<Asked> asked;
  Decision decision = Decision::None;  // Approved without `asked`: whoever comes need not wait
  UnixTime until;                      // it is good for its holder; its expiry where nobody asked

  bool is_good(UnixTime now) const {
    return !used && !is_void && decision != Decision::Rejected && until > now;
  }
};

// How long after its end a certificate still counts as one that somebody may accept: tolerance of
// credentials (120 s) and clocks that differ.
inline constexpr std::uint64_t kAfterlife = 600;

struct Held {  // a certificate of a member
  std::uint64_t serial = 0;
  UnixTime until;  // its not_after
  std::string name;
  std::uint8_t flags = 0;
  std::size_t credential_key = 0, ca = 0;  // which of the ring's signed it
};

struct Member {
  NodeAddress address;
  std::string name;        // as assigned; the newest certificate may still bear another
  std::uint8_t flags = 0;  // likewise
  IpPrefix prefix6;
  IpAddress ipv4;
  bool revoked = false;
  std::vector<Held> held;   // the newest is the last; older ones until kAfterlife after their end
  crypto::Hash csr_hash{};  // of the newest: asked again, the same bytes go out
  CredentialBytes credential{};
  Bytes certificate;
  std::set<Nonce> nonces;  // of all its renewals

  const Held& newest() const { return held.back(); }
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
  std::uint64_t lifetime() const { return lifetime_; }  // of the next certificates, seconds

  const registry::KeyRing& keys() const { return keys_; }
  // Nothing newer has taken over from the keys that made this one; they are still in force.
  bool has_newest_keys(const Held& held) const;
  bool has_keys_in_force(const Held& held) const;
  // Its newest certificate says something else than what was decided since, or is of an older key.
  bool needs_renewal(const Member& member) const;

  const NetworkDocument& document() const { return document_; }
  const std::string& document_text() const { return document_text_; }

  const Invite* find_invite(const TokenId& token) const;
  // The entry a token was used for, or null.
  const registry::IssueEntry* find_issue(const TokenId& token) const;
  // The invite of this name with which a machine waits, or was approved and has not come back.
  const Invite* find_waiting(const std::string& name, UnixTime now) const;
  // True if the name is a member's, or reserved by an unused invite that is still good, or stands
  // in a certificate that somebody may still accept; `except` may have it.
  bool is_name_held(const std::string& name, UnixTime now,
                    const NodeAddress* except = nullptr) const;
  bool is_member_name(const std::string& name) const { return names_.contains(name); }
  const Member* find_member(const NodeAddress& address) const;
  const Member* find_member(const std::string& name) const;  // a revoked one has no name
  const NodeAddress* member_of(const ShortId& id) const;
  const NodeAddress* member_of(const MacAddress& mac) const;
  bool is_member(const NodeAddress& address) const { return members_.contains(address); }
  bool is_prefix_free(std::string_view bits) const;
  bool is_ipv4_free(const IpAddress& address) const;
  // The same for a member that comes back with what it had before a loss.
  bool is_prefix_unused(std::string_view bits) const { return prefixes_->is_free(bits); }
  bool is_ipv4_unused(const IpAddress& address) const { return !ipv4_.contains(address); }
  const std::map<NodeAddress, Member>& members() const { return members_; }

  std::uint64_t next_sequence() const { return next_sequence_; }
  std::uint64_t last_serial() const { return last_serial_; }
  std::uint64_t last_version() const;                // of documents: the next one has a higher one
  UnixTime last_time() const { return last_time_; }  // of the newest entry
  // The newest loss, or null: what it says may have been handed out.
  const registry::LostEntry* lost() const { return lost_ ? &*lost_ : nullptr; }
  std::size_t void_invites(UnixTime now) const;  // that could still be used but for a loss
  const crypto::Hash& last_hash() const { return last_hash_; }
  std::size_t member_count() const { return members_.size(); }

 private:
  Result<void> apply_body(const registry::GenesisEntry& e, UnixTime time);
  Result<void> apply_body(const registry::DocumentEntry& e, UnixTime time);
  Result<void> apply_body(const registry::InviteEntry& e, UnixTime time);
  Result<void> apply_body(const registry::IssueEntry& e, UnixTime time);
  Result<void> apply_body(const registry::RenewEntry& e, UnixTime time);
  Result<void> apply_body(const registry::RenameEntry& e, UnixTime time);
  Result<void> apply_body(const registry::RevokeEntry& e, UnixTime time);
  Result<void> apply_body(const registry::FlagsEntry& e, UnixTime time);
  Result<void> apply_body(const registry::PolicyEntry& e, UnixTime time);
  Result<void> apply_body(const registry::LostEntry& e, UnixTime time);
  Result<void> apply_body(const registry::AdoptEntry& e, UnixTime time);
  Result<Member*> adopted_member(const registry::AdoptEntry& e);
  Result<void> apply_body(const registry::RotateEntry& e, UnixTime time);
  Result<void> apply_body(const registry::RetireEntry& e, UnixTime time);
  Result<void> apply_body(const registry::PendingEntry& e, UnixTime time);
  Result<void> apply_body(const registry::ApproveEntry& e, UnixTime time);
  Result<Member*> living_member(const NodeAddress& address);
  void add_member(Member member, std::string_view bits);

  std::optional<Genesis> genesis_;
  std::string genesis_text_;
  NetworkId network_{};
  std::uint64_t lifetime_ = registry::kLifetime;
  registry::KeyRing keys_;
  NetworkDocument document_;
  std::string document_text_;
  std::map<TokenId, Invite> invites_;
  std::multimap<std::string, TokenId> invited_names_;
  std::map<TokenId, registry::IssueEntry> issues_;
  std::map<NodeAddress, Member> members_;
  std::map<ShortId, NodeAddress> short_ids_;
  std::map<MacAddress, NodeAddress> macs_;
  std::map<std::string, NodeAddress> names_;
  std::set<IpAddress> ipv4_;
  std::optional<registry::PrefixPool> prefixes_;
  std::uint64_t next_sequence_ = 0;
  std::uint64_t last_serial_ = 0;
  crypto::Hash last_hash_{};
  UnixTime last_time_;
  std::optional<registry::LostEntry> lost_;
};

// The revocations that the next document must have: those of the present one and all certificates
// of revoked members, as long as somebody may accept them. Sorted.
std::vector<Revocation> needed_revocations(const Ledger& ledger, UnixTime now);

}  // namespace wattle::signer
