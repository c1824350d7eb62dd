#include "registry/signer/ledger.h"

#include <algorithm>

#include "common/base/mutant.h"
#include "common/proto/prefix_bits.h"

namespace wattle::signer {
namespace {

Error broken(const char* why) { return Error(Errc::BadValue, why); }

bool counts(const Held& held, UnixTime now) {
  return held.until.seconds + kAfterlife > now.seconds;
}

// Notes a finished certificate as the member's newest.
template <typename E>
Result<void> hold(Member& member, const E& e, const registry::KeyRing& keys, UnixTime time) {
  const auto credential = decode_credential(e.credential);
  if (!credential) return broken("the credential is none");
  if (WATTLE_CHECKED(journal_credential,
                     credential->serial != e.serial || credential->address != member.address))
    return broken("the credential is another's");
  std::erase_if(member.held, [time](const Held& held) { return !counts(held, time); });
  member.held.push_back({e.serial, credential->not_after, e.name, e.flags,
                         keys.newest(KeyKind::Credential), keys.newest(KeyKind::Ca)});
  member.csr_hash = e.csr_hash;
  member.credential = e.credential;
  member.certificate = e.certificate;
  return {};
}

}  // namespace

Result<void> Ledger::apply(const registry::Entry& entry) {
  const std::string place = "journal entry " + std::to_string(entry.sequence) + ": ";
  if (WATTLE_CHECKED(journal_sequence, entry.sequence != next_sequence_))
    return Error(Errc::BadValue,
                 place + "expected number " + std::to_string(next_sequence_) + " here");
  if (WATTLE_CHECKED(journal_chain, entry.previous != last_hash_))
    return Error(Errc::BadSignature, place + "does not continue the entry before it");
  const bool is_genesis = std::holds_alternative<registry::GenesisEntry>(entry.body);
  if (WATTLE_CHECKED(journal_genesis, is_genesis != (entry.sequence == 0)))
    return Error(Errc::BadValue, place + "genesis must be the first entry, and only that");
  const auto applied =
      std::visit([&](const auto& body) { return apply_body(body, entry.time); }, entry.body);
  if (!applied) return Error(applied.error().code, place + applied.error().text());
  ++next_sequence_;
  last_hash_ = entry.hash;
  last_time_ = entry.time;
  return {};
}

Result<void> Ledger::apply_body(const registry::GenesisEntry& e, UnixTime) {
  genesis_ = WATTLE_TRY(parse_genesis(e.text));
  genesis_text_ = e.text;
  network_ = network_id(genesis_hash(e.text));
  prefixes_.emplace(std::size_t{128} - genesis_->prefix.length);
  keys_ = registry::KeyRing(*genesis_);
  return {};
}

Result<void> Ledger::apply_body(const registry::DocumentEntry& e, UnixTime) {
  NetworkDocument d = WATTLE_TRY(parse_network_document(e.text, genesis_->document_key, network_));
  if (WATTLE_CHECKED(journal_document_version, d.version <= last_version()))
    return broken("the document's version does not rise");
  if (!keys_.is_said_by(d)) return broken("the document's keys are not the journal's");
  for (const Revocation& needed : needed_revocations(*this, d.time))
    if (!WATTLE_CHECKED(journal_revocations,
                        std::binary_search(d.revoked.begin(), d.revoked.end(), needed)))
      return broken("the document leaves out a revocation that has not run out");
  document_ = std::move(d);
  document_text_ = e.text;
  return {};
}

Result<void> Ledger::apply_body(const registry::InviteEntry& e, UnixTime) {
  if (!e.has_key) return broken("the invite has no key");
  if (invites_.contains(e.token)) return broken("the invite exists already");
  invites_.emplace(e.token, Invite{e, false, false, {}, Decision::None, e.expires});
  invited_names_.emplace(e.name, e.token);
  return {};
}

Result<void> Ledger::apply_body(const registry::IssueEntry& e, UnixTime time) {
  const auto invite = invites_.find(e.token);
  if (invite == invites_.end()) return broken("no invite has this token");
  if (WATTLE_CHECKED(journal_token_used, invite->second.used))
    return broken("the token is used twice");
  if (invite->second.is_void) return broken("the invite is void since a loss of the journal");
  const auto& asked = invite->second.asked;
  if (invite->second.decision == Decision::Rejected || (asked && asked->address != e.address))
    return broken("the invite is not this machine's");
  if (WATTLE_CHECKED(journal_issue_serial, e.serial <= last_serial_))
    return broken("the serial does not rise");
  if (names_.contains(e.name)) return broken("the name is taken");
  if (!WATTLE_CHECKED(journal_ipv4, is_ipv4_free(e.ipv4)))
    return broken("the IPv4 address is taken");
  if (WATTLE_CHECKED(journal_member, members_.contains(e.address)))
    return broken("the address has a certificate already");
  const std::string bits = WATTLE_TRY(member_bits(genesis_->prefix, e.prefix6));
  if (!WATTLE_CHECKED(journal_prefix, is_prefix_free(bits)))
    return broken("the prefix overlaps another member's");
  Member member;
  member.address = e.address;
  member.name = e.name;
  member.flags = e.flags;
  member.prefix6 = e.prefix6;
  member.ipv4 = e.ipv4;
  WATTLE_TRY(hold(member, e, keys_, time));
  invite->second.used = true;
  last_serial_ = e.serial;
  issues_.emplace(e.token, e);
  add_member(std::move(member), bits);
  return {};
}

void Ledger::add_member(Member member, std::string_view bits) {
  const NodeAddress address = member.address;
  WATTLE_CHECK(prefixes_->mark(bits).has_value());
  short_ids_.emplace(address.short_id(), address);
  macs_.emplace(mac_of(network_, address), address);
  names_.emplace(member.name, address);
  ipv4_.insert(member.ipv4);
  members_.emplace(address, std::move(member));
}

Result<Member*> Ledger::living_member(const NodeAddress& address) {
  const auto at = members_.find(address);
  if (at == members_.end()) return broken("no member has this address");
  if (WATTLE_CHECKED(journal_revoked, at->second.revoked)) return broken("the member is revoked");
  return &at->second;
}

Result<void> Ledger::apply_body(const registry::RenewEntry& e, UnixTime time) {
  Member* member = WATTLE_TRY(living_member(e.address));
  if (WATTLE_CHECKED(journal_renew_serial, e.serial <= last_serial_))
    return broken("the serial does not rise");
  if (WATTLE_CHECKED(journal_renew_rights, e.name != member->name || e.flags != member->flags))
    return broken("name or flags are not the member's");
  if (WATTLE_CHECKED(journal_nonce, member->nonces.contains(e.nonce)))
    return broken("the nonce is used twice");
  WATTLE_TRY(hold(*member, e, keys_, time));
  member->nonces.insert(e.nonce);
  last_serial_ = e.serial;
  return {};
}

Result<void> Ledger::apply_body(const registry::RenameEntry& e, UnixTime) {
  Member* member = WATTLE_TRY(living_member(e.address));
  if (names_.contains(e.name)) return broken("the name is taken");
  names_.erase(member->name);
  names_.emplace(e.name, e.address);
  member->name = e.name;
  return {};
}

Result<void> Ledger::apply_body(const registry::RevokeEntry& e, UnixTime) {
  Member* member = WATTLE_TRY(living_member(e.address));
  names_.erase(member->name);
  member->revoked = true;
  return {};
}

Result<void> Ledger::apply_body(const registry::FlagsEntry& e, UnixTime) {
  Member* member = WATTLE_TRY(living_member(e.address));
  member->flags = e.flags;
  return {};
}

Result<void> Ledger::apply_body(const registry::PolicyEntry& e, UnixTime) {
  lifetime_ = e.lifetime;
  return {};
}

Result<void> Ledger::apply_body(const registry::LostEntry& e, UnixTime) {
  if (e.version < last_version()) return broken("the document's version does not rise");
  if (e.serial < last_serial_) return broken("the serial does not rise");
  if (lost_ && (e.last6 < lost_->last6 || e.last4 < lost_->last4))
    return broken("addresses that an earlier loss set aside are free again");
  last_serial_ = e.serial;
  for (auto& [token, invite] : invites_) invite.is_void = invite.is_void || !invite.used;
  lost_ = e;
  return {};
}

// The member that this entry is about: a new one if the journal has lost it.
Result<Member*> Ledger::adopted_member(const registry::AdoptEntry& e) {
  const auto before = decode_credential(e.before);
  if (!before || before->address != e.address || before->network != network_)
    return broken("the credential before is another's");
  if (!lost_ || before->serial > lost_->serial)
    return broken("the credential before cannot have been lost");
  const auto at = members_.find(e.address);
  if (at == members_.end()) {
    if (names_.contains(e.name)) return broken("the name is taken");
    if (before->ipv4.length != 32 || ipv4_.contains(before->ipv4.address))
      return broken("the IPv4 address is taken");
    const std::string bits = WATTLE_TRY(member_bits(genesis_->prefix, before->ipv6));
    if (!prefixes_->is_free(bits)) return broken("the prefix overlaps another member's");
    Member member;
    member.address = e.address;
    member.name = e.name;
    member.flags = e.flags;
    member.prefix6 = before->ipv6;
    member.ipv4 = before->ipv4.address;
    add_member(std::move(member), bits);
  }
  Member* member = WATTLE_TRY(living_member(e.address));
  // Of a member that the journal knows, what was decided since the backup holds.
  if (e.name != member->name || e.flags != member->flags)
    return broken("name or flags are not the member's");
  for (const Held& held : member->held)
    if (held.serial == before->serial) return broken("the credential before is not lost");
  member->held.push_back({before->serial, before->not_after, e.name, e.flags});
  return member;
}

Result<void> Ledger::apply_body(const registry::AdoptEntry& e, UnixTime time) {
  if (e.serial <= last_serial_) return broken("the serial does not rise");
  Member* member = WATTLE_TRY(adopted_member(e));
  if (member->nonces.contains(e.nonce)) return broken("the nonce is used twice");
  WATTLE_TRY(hold(*member, e, keys_, time));
  member->nonces.insert(e.nonce);
  last_serial_ = e.serial;
  return {};
}

std::uint64_t Ledger::last_version() const {
  return lost_ ? std::max(lost_->version, document_.version) : document_.version;
}

std::size_t Ledger::void_invites(UnixTime now) const {
  return static_cast<std::size_t>(std::count_if(
      invites_.begin(), invites_.end(),
      [now](const auto& item) { return item.second.is_void && item.second.entry.expires > now; }));
}

Result<void> Ledger::apply_body(const registry::RotateEntry& e, UnixTime time) {
  return keys_.rotate(e, network_, time);
}

Result<void> Ledger::apply_body(const registry::RetireEntry& e, UnixTime) {
  return keys_.retire(e);
}

bool Ledger::has_newest_keys(const Held& held) const {
  return held.credential_key == keys_.newest(KeyKind::Credential) &&
         held.ca == keys_.newest(KeyKind::Ca);
}

bool Ledger::has_keys_in_force(const Held& held) const {
  return keys_.keys(KeyKind::Credential)[held.credential_key].in_force &&
         keys_.keys(KeyKind::Ca)[held.ca].in_force;
}

bool Ledger::needs_renewal(const Member& member) const {
  const Held& held = member.newest();
  return !member.revoked &&
         (held.name != member.name || held.flags != member.flags || !has_newest_keys(held));
}

Result<void> Ledger::apply_body(const registry::PendingEntry& e, UnixTime time) {
  const auto at = invites_.find(e.token);
  if (at == invites_.end()) return broken("no invite has this token");
  Invite& invite = at->second;
  if (invite.used || invite.asked || invite.decision == Decision::Rejected)
    return broken("the invite was asked with before");
  invite.asked = Asked{e.address, e.csr_hash};
  invite.until = {time.seconds + registry::kPendingLife};
  return {};
}

Result<void> Ledger::apply_body(const registry::ApproveEntry& e, UnixTime time) {
  const auto at = invites_.find(e.token);
  if (at == invites_.end()) return broken("no invite has this token");
  Invite& invite = at->second;
  const NodeAddress asked = invite.asked ? invite.asked->address : NodeAddress();
  if (invite.used || invite.decision == Decision::Rejected || asked != e.address)
    return broken("nobody waits for this word");
  invite.decision = e.approved ? Decision::Approved : Decision::Rejected;
  if (invite.asked) invite.until = {time.seconds + registry::kPendingLife};
  return {};
}

const Invite* Ledger::find_invite(const TokenId& token) const {
  const auto at = invites_.find(token);
  return at == invites_.end() ? nullptr : &at->second;
}

const registry::IssueEntry* Ledger::find_issue(const TokenId& token) const {
  const auto at = issues_.find(token);
  return at == issues_.end() ? nullptr : &at->second;
}

bool Ledger::is_name_held(const std::string& name, UnixTime now, const NodeAddress* except) const {
  for (const auto& [address, member] : members_) {
    if (member.revoked || (except != nullptr && address == *except)) continue;
    if (member.name == name) return true;
    for (const Held& held : member.held)
      if (held.name == name && counts(held, now)) return true;
  }
  const auto [first, last] = invited_names_.equal_range(name);
  for (auto at = first; at != last; ++at)
    if (invites_.at(at->second).is_good(now)) return true;
  return false;
}

const Invite* Ledger::find_waiting(const std::string& name, UnixTime now) const {
  const auto [first, last] = invited_names_.equal_range(name);
  for (auto at = first; at != last; ++at) {
    const Invite& invite = invites_.at(at->second);
    if (invite.asked && invite.is_good(now)) return &invite;
  }
  return nullptr;
}

const Member* Ledger::find_member(const NodeAddress& address) const {
  const auto at = members_.find(address);
  return at == members_.end() ? nullptr : &at->second;
}

const Member* Ledger::find_member(const std::string& name) const {
  const auto at = names_.find(name);
  return at == names_.end() ? nullptr : find_member(at->second);
}

const NodeAddress* Ledger::member_of(const ShortId& id) const {
  const auto at = short_ids_.find(id);
  return at == short_ids_.end() ? nullptr : &at->second;
}

const NodeAddress* Ledger::member_of(const MacAddress& mac) const {
  const auto at = macs_.find(mac);
  return at == macs_.end() ? nullptr : &at->second;
}

// What lies at or below the addresses of a loss may be a member's that the journal does not know.
bool Ledger::is_prefix_free(std::string_view bits) const {
  const bool may_be_lost = lost_ && member_prefix(genesis_->prefix, bits).address <= lost_->last6;
  return WATTLE_CHECKED(lost_prefix, !may_be_lost) && prefixes_->is_free(bits);
}

bool Ledger::is_ipv4_free(const IpAddress& address) const {
  const bool may_be_lost = lost_ && address <= lost_->last4;
  return WATTLE_CHECKED(lost_ipv4, !may_be_lost) && !ipv4_.contains(address);
}

std::vector<Revocation> needed_revocations(const Ledger& ledger, UnixTime now) {
  std::map<std::uint64_t, UnixTime> by_serial;
  for (const Revocation& r : ledger.document().revoked)
    if (r.until > now) by_serial.emplace(r.serial, r.until);
  for (const auto& [address, member] : ledger.members()) {
    if (!member.revoked) continue;
    for (const Held& held : member.held)
      if (counts(held, now))
        by_serial.emplace(held.serial, UnixTime{held.until.seconds + kAfterlife});
  }
  std::vector<Revocation> out;
  for (const auto& [serial, until] : by_serial) out.push_back({serial, until});
  return out;
}

}  // namespace wattle::signer
