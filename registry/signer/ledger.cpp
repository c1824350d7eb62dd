#include "registry/signer/ledger.h"

#include <algorithm>

#include "common/proto/prefix_bits.h"

namespace wattle::signer {
namespace {

Error broken(const char* why) { return Error(Errc::BadValue, why); }

bool counts(const Held& held, UnixTime now) {
  return held.until.seconds + kAfterlife > now.seconds;
}

// Notes a finished certificate as the member's newest.
template <typename E>
Result<void> hold(Member& member, const E& e, UnixTime time) {
  const auto credential = decode_credential(e.credential);
  if (!credential) return broken("the credential is none");
  if (credential->serial != e.serial || credential->address != member.address)
    return broken("the credential is another's");
  std::erase_if(member.held, [time](const Held& held) { return !counts(held, time); });
  member.held.push_back({e.serial, credential->not_after, e.name, e.flags});
  member.csr_hash = e.csr_hash;
  member.credential = e.credential;
  member.certificate = e.certificate;
  return {};
}

}  // namespace

Result<void> Ledger::apply(const registry::Entry& entry) {
  const std::string place = "journal entry " + std::to_string(entry.sequence) + ": ";
  if (entry.sequence != next_sequence_)
    return Error(Errc::BadValue,
                 place + "expected number " + std::to_string(next_sequence_) + " here");
  if (entry.previous != last_hash_)
    return Error(Errc::BadSignature, place + "does not continue the entry before it");
  const bool is_genesis = std::holds_alternative<registry::GenesisEntry>(entry.body);
  if (is_genesis != (entry.sequence == 0))
    return Error(Errc::BadValue, place + "genesis must be the first entry, and only that");
  const auto applied =
      std::visit([&](const auto& body) { return apply_body(body, entry.time); }, entry.body);
  if (!applied) return Error(applied.error().code, place + applied.error().text());
  ++next_sequence_;
  last_hash_ = entry.hash;
  return {};
}

Result<void> Ledger::apply_body(const registry::GenesisEntry& e, UnixTime) {
  genesis_ = WATTLE_TRY(parse_genesis(e.text));
  genesis_text_ = e.text;
  network_ = network_id(genesis_hash(e.text));
  prefixes_.emplace(std::size_t{128} - genesis_->prefix.length);
  return {};
}

Result<void> Ledger::apply_body(const registry::DocumentEntry& e, UnixTime) {
  NetworkDocument d = WATTLE_TRY(parse_network_document(e.text, genesis_->document_key, network_));
  if (d.version <= document_.version) return broken("the document's version does not rise");
  for (const Revocation& needed : needed_revocations(*this, d.time))
    if (!std::binary_search(d.revoked.begin(), d.revoked.end(), needed))
      return broken("the document leaves out a revocation that has not run out");
  document_ = std::move(d);
  document_text_ = e.text;
  return {};
}

Result<void> Ledger::apply_body(const registry::InviteEntry& e, UnixTime) {
  if (!e.has_key) return broken("the invite has no key");
  if (invites_.contains(e.token)) return broken("the invite exists already");
  invites_.emplace(e.token, Invite{e, false});
  invited_names_.emplace(e.name, e.token);
  return {};
}

Result<void> Ledger::apply_body(const registry::IssueEntry& e, UnixTime time) {
  const auto invite = invites_.find(e.token);
  if (invite == invites_.end()) return broken("no invite has this token");
  if (invite->second.used) return broken("the token is used twice");
  if (e.serial <= last_serial_) return broken("the serial does not rise");
  if (names_.contains(e.name)) return broken("the name is taken");
  if (ipv4_.contains(e.ipv4)) return broken("the IPv4 address is taken");
  if (members_.contains(e.address)) return broken("the address has a certificate already");
  const std::string bits = WATTLE_TRY(member_bits(genesis_->prefix, e.prefix6));
  if (!prefixes_->mark(bits)) return broken("the prefix overlaps another member's");
  Member member;
  member.address = e.address;
  member.name = e.name;
  member.flags = e.flags;
  member.prefix6 = e.prefix6;
  member.ipv4 = e.ipv4;
  WATTLE_TRY(hold(member, e, time));
  invite->second.used = true;
  last_serial_ = e.serial;
  issues_.emplace(e.token, e);
  members_.emplace(e.address, std::move(member));
  short_ids_.emplace(e.address.short_id(), e.address);
  macs_.emplace(mac_of(network_, e.address), e.address);
  names_.emplace(e.name, e.address);
  ipv4_.insert(e.ipv4);
  return {};
}

Result<Member*> Ledger::living_member(const NodeAddress& address) {
  const auto at = members_.find(address);
  if (at == members_.end()) return broken("no member has this address");
  if (at->second.revoked) return broken("the member is revoked");
  return &at->second;
}

Result<void> Ledger::apply_body(const registry::RenewEntry& e, UnixTime time) {
  Member* member = WATTLE_TRY(living_member(e.address));
  if (e.serial <= last_serial_) return broken("the serial does not rise");
  if (e.name != member->name || e.flags != member->flags)
    return broken("name or flags are not the member's");
  if (member->nonces.contains(e.nonce)) return broken("the nonce is used twice");
  WATTLE_TRY(hold(*member, e, time));
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
  for (auto at = first; at != last; ++at) {
    const Invite& invite = invites_.at(at->second);
    if (!invite.used && invite.entry.expires > now) return true;
  }
  return false;
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

bool Ledger::is_prefix_free(std::string_view bits) const { return prefixes_->is_free(bits); }

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
