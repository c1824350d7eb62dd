#include "registry/signer/ledger.h"

#include "common/proto/prefix_bits.h"

namespace wattle::signer {
namespace {

Error broken(const char* why) { return Error(Errc::BadValue, why); }

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
      std::visit([this](const auto& body) { return apply_body(body); }, entry.body);
  if (!applied) return Error(applied.error().code, place + applied.error().text());
  ++next_sequence_;
  last_hash_ = entry.hash;
  return {};
}

Result<void> Ledger::apply_body(const registry::GenesisEntry& e) {
  genesis_ = WATTLE_TRY(parse_genesis(e.text));
  genesis_text_ = e.text;
  network_ = network_id(genesis_hash(e.text));
  prefixes_.emplace(std::size_t{128} - genesis_->prefix.length);
  return {};
}

Result<void> Ledger::apply_body(const registry::DocumentEntry& e) {
  NetworkDocument d = WATTLE_TRY(parse_network_document(e.text, genesis_->document_key, network_));
  if (d.version <= document_.version) return broken("the document's version does not rise");
  document_ = std::move(d);
  document_text_ = e.text;
  return {};
}

Result<void> Ledger::apply_body(const registry::InviteEntry& e) {
  if (!e.has_key) return broken("the invite has no key");
  if (invites_.contains(e.token)) return broken("the invite exists already");
  invites_.emplace(e.token, Invite{e, false});
  invited_names_.emplace(e.name, e.token);
  return {};
}

Result<void> Ledger::apply_body(const registry::IssueEntry& e) {
  const auto invite = invites_.find(e.token);
  if (invite == invites_.end()) return broken("no invite has this token");
  if (invite->second.used) return broken("the token is used twice");
  if (e.serial <= last_serial_) return broken("the serial does not rise");
  if (names_.contains(e.name)) return broken("the name is taken");
  if (ipv4_.contains(e.ipv4)) return broken("the IPv4 address is taken");
  if (members_.contains(e.address)) return broken("the address has a certificate already");
  const std::string bits = WATTLE_TRY(member_bits(genesis_->prefix, e.prefix6));
  if (!prefixes_->mark(bits)) return broken("the prefix overlaps another member's");
  invite->second.used = true;
  last_serial_ = e.serial;
  issues_.emplace(e.token, e);
  members_.insert(e.address);
  short_ids_.emplace(e.address.short_id(), e.address);
  macs_.emplace(mac_of(network_, e.address), e.address);
  names_.insert(e.name);
  ipv4_.insert(e.ipv4);
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

bool Ledger::is_name_held(const std::string& name, UnixTime now) const {
  if (names_.contains(name)) return true;
  const auto [first, last] = invited_names_.equal_range(name);
  for (auto at = first; at != last; ++at) {
    const Invite& invite = invites_.at(at->second);
    if (!invite.used && invite.entry.expires > now) return true;
  }
  return false;
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

}  // namespace wattle::signer
