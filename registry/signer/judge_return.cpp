// Judgement of members that come back after a loss of the journal, by the credential they hold.
#include "common/base/mutant.h"
#include "common/base/parse.h"
#include "common/proto/acceptance.h"
#include "common/proto/prefix_bits.h"
#include "registry/signer/judge.h"

namespace wattle::signer {
namespace {

using sign_link::Rule;
using Return = std::optional<std::variant<Refusal, Adoption>>;

Return refuse(Rule rule, std::string sentence) { return Refusal{rule, std::move(sentence)}; }

// Time apart: the grace period is judged by itself.
Check check_credential(const Ledger& ledger, ByteView bytes, const NodeAddress& address) {
  Trust trust;
  trust.network = ledger.network();
  for (const auto& key : ledger.keys().keys(KeyKind::Credential))
    if (key.in_force) trust.credential_keys.push_back(key.key);
  for (const Revocation& revoked : ledger.document().revoked) trust.revoked.insert(revoked.serial);
  const auto says = decode_credential(bytes);
  if (!says) return Check::Constants;
  Credential out;
  return accept_credential(trust, bytes, address, says->not_before, 0, out);
}

bool is_held(const Member& member, std::uint64_t serial) {
  for (const Held& held : member.held)
    if (held.serial == serial) return true;
  return false;
}

// Nobody else has by now what the lost member had.
std::optional<Refusal> judge_place(const Ledger& ledger, const Adoption& wish, UnixTime now) {
  if (ledger.is_name_held(wish.name, now, &wish.address))
    return Refusal{Rule::NameTaken,
                   "this member was lost with the registry's journal, and its name " + wish.name +
                       " is another's by now: rename that one, and this one comes back by itself"};
  if (ledger.member_of(wish.address.short_id()) != nullptr ||
      ledger.member_of(mac_of(ledger.network(), wish.address)) != nullptr)
    return Refusal{Rule::IdClash, "another member has this short id or MAC: join again"};
  const auto bits = member_bits(ledger.genesis().prefix, wish.prefix6);
  if (!WATTLE_CHECKED(return_prefix, bits && ledger.is_prefix_unused(*bits)))
    return Refusal{Rule::IdClash,
                   "this member was lost with the registry's journal, and its prefix is another's "
                   "by now: join again"};
  const bool is_host = registry::is_host_of(ledger.genesis().ipv4, wish.ipv4);
  if (!WATTLE_CHECKED(return_ipv4, is_host && ledger.is_ipv4_unused(wish.ipv4)))
    return Refusal{Rule::IdClash,
                   "this member was lost with the registry's journal, and its IPv4 address is "
                   "another's by now: join again"};
  return std::nullopt;
}

}  // namespace

Return judge_return(const Ledger& ledger, const sign_link::Renew& request,
                    const EnrolmentClaim& claim, UnixTime now) {
  if (ledger.lost() == nullptr || request.credential.empty()) return std::nullopt;
  const Check check = check_credential(ledger, request.credential, claim.address);
  if (!WATTLE_CHECKED(return_revoked, check != Check::Revoked))
    return refuse(Rule::Revoked, "renewal refused: this member's certificate is revoked");
  if (!WATTLE_CHECKED(return_credential, check == Check::Accept || check == Check::Revoked))
    return refuse(Rule::BadSignature, "the credential shown is not one of this network and node: " +
                                          std::string(check_name(check)));
  const Credential before = WATTLE_MUST(decode_credential(request.credential));
  const Member* member = ledger.find_member(claim.address);
  if (member != nullptr && is_held(*member, before.serial)) return std::nullopt;
  if (!WATTLE_CHECKED(return_after_loss, before.serial <= ledger.lost()->serial))
    return std::nullopt;
  if (before.not_after.seconds + kGrace <= now.seconds)
    return refuse(Rule::Expired,
                  "this member's certificate ended more than 30 days ago: join again, with a new "
                  "invite and a new key");
  Adoption out;
  out.member = member;
  out.address = claim.address;
  out.csr_hash = claim.csr_hash;
  out.before = to_array<kCredentialSize>(request.credential);
  out.prefix6 = before.ipv6;
  out.ipv4 = before.ipv4.address;
  out.flags = member != nullptr ? member->flags : before.flags;
  out.name = member != nullptr ? member->name : request.name;
  if (member != nullptr) return out;
  if (!is_node_name(out.name) ||
      !WATTLE_CHECKED(return_name, name_hash(out.name) == before.name_hash))
    return refuse(Rule::BadRequest, "the name is not that of the credential shown");
  if (auto no = judge_place(ledger, out, now)) return *std::move(no);
  return out;
}

}  // namespace wattle::signer
