#include "registry/signer/judge.h"

#include <algorithm>

#include "common/base/mutant.h"
#include "common/base/parse.h"
#include "common/crypto/certificate.h"
#include "common/proto/prefix_bits.h"

namespace wattle::signer {
namespace {

using sign_link::Rule;

Refusal refuse(Rule rule, std::string sentence) { return {rule, std::move(sentence)}; }

EnrolmentClaim claim_of(const Ledger& ledger, const sign_link::Issue& request) {
  EnrolmentClaim claim;
  claim.network = ledger.network();
  claim.address.bytes = request.address;
  claim.csr_hash = crypto::sha256(request.csr);
  claim.token = request.token;
  claim.nonce = request.nonce;
  return claim;
}

bool is_revoked(const Ledger& ledger, std::uint64_t serial) {
  const auto& revoked = ledger.document().revoked;
  return std::any_of(revoked.begin(), revoked.end(),
                     [serial](const Revocation& r) { return r.serial == serial; });
}

bool is_of_retired_key(const Ledger& ledger, const Member& member, std::uint64_t serial) {
  return std::any_of(member.held.begin(), member.held.end(), [&](const Held& held) {
    return held.serial == serial && !ledger.has_keys_in_force(held);
  });
}

// What does not depend on the journal beyond the token: who asks, and whether the request is whole.
std::optional<Refusal> judge_claim(const Invite& invite, const EnrolmentClaim& claim,
                                   const sign_link::Issue& request) {
  if (!WATTLE_CHECKED(join_proof,
                      secret_equal(enrolment_proof(invite.entry.key, claim), request.proof)))
    return refuse(Rule::BadProof, "the proof of the invite's token does not verify");
  NodeAddress address;
  const AddressFault fault = parse_address(ByteView(request.address), address);
  if (WATTLE_CHECKED(join_address, fault != AddressFault::None))
    return refuse(Rule::BadRequest, "the node's address is wrong: " + std::string(phrase(fault)));
  if (WATTLE_CHECKED(join_zone, address.zone() != kDefaultZone))
    return refuse(Rule::BadRequest, "the node's address is of another zone");
  if (!WATTLE_CHECKED(join_signature, verify_enrolment(claim, request.signature)))
    return refuse(Rule::BadSignature, "the identity key's signature does not verify");
  if (!WATTLE_CHECKED(join_csr, crypto::check_csr(request.csr)))
    return refuse(Rule::BadRequest, "the certificate request is not a signed P-256 request");
  return std::nullopt;
}

// Whether the invite, unused, is still this machine's to use.
std::optional<Refusal> judge_waiting(const Invite& invite, const EnrolmentClaim& claim,
                                     UnixTime now) {
  if (!WATTLE_CHECKED(lost_invite, !invite.is_void))
    return refuse(Rule::Void,
                  "this invite is from before the registry lost its journal, and may have been "
                  "used: ask for a new one");
  if (!WATTLE_CHECKED(signer_rejected, invite.decision != Decision::Rejected))
    return refuse(Rule::Rejected, "the network's administrator rejected this join");
  const bool is_its_own = !invite.asked || (invite.asked->address == claim.address &&
                                            invite.asked->csr_hash == claim.csr_hash);
  if (!WATTLE_CHECKED(signer_pending_owner, is_its_own))
    return refuse(Rule::TokenUsed, "this invite was used already, by another machine or key");
  if (!WATTLE_CHECKED(signer_token_expired, invite.until > now))
    return refuse(Rule::TokenExpired,
                  invite.asked ? "this join has waited for more than 30 days: ask for a new invite"
                               : "this invite has expired: ask for a new one");
  return std::nullopt;
}

std::optional<Refusal> judge_prefix(const Ledger& ledger, const Invite& invite,
                                    const IpPrefix& proposed, std::string& bits) {
  const auto inside = member_bits(ledger.genesis().prefix, proposed);
  if (!inside || WATTLE_CHECKED(join_prefix_bits, proposed.network() != proposed))
    return refuse(Rule::BadRequest, "the proposed prefix is not one inside the network");
  bits = *inside;
  if (WATTLE_CHECKED(join_prefix_length, bits.size() != invite.entry.prefix_length))
    return refuse(Rule::BadRequest, "the proposed prefix is not of the invited length");
  const bool is_anycast = proposed.length == 128 && bits.find('1') == std::string::npos;
  if (WATTLE_CHECKED(join_anycast, is_anycast))
    return refuse(Rule::PrefixTaken, "the proposed prefix is the subnet-router anycast address");
  if (!WATTLE_CHECKED(join_prefix_taken, ledger.is_prefix_free(bits)))
    return refuse(Rule::PrefixTaken, "the proposed prefix is taken");
  return std::nullopt;
}

std::optional<Refusal> judge_ipv4(const Ledger& ledger, const IpAddress& proposed) {
  if (!WATTLE_CHECKED(join_ipv4_host, registry::is_host_of(ledger.genesis().ipv4, proposed)))
    return refuse(Rule::BadRequest, "the proposed IPv4 address is no host of the network");
  if (!WATTLE_CHECKED(join_ipv4_taken, ledger.is_ipv4_free(proposed)))
    return refuse(Rule::AddressTaken, "the proposed IPv4 address is taken");
  return std::nullopt;
}

}  // namespace

bool is_clash(const Ledger& ledger, const NodeAddress& address, const ShortId& id,
              const MacAddress& mac) {
  return ledger.is_member(address) || ledger.member_of(id) != nullptr ||
         ledger.member_of(mac) != nullptr;
}

Judgement judge(const Ledger& ledger, const sign_link::Issue& request, UnixTime now, Joins joins) {
  const Invite* invite = ledger.find_invite(request.token);
  if (invite == nullptr) return refuse(Rule::UnknownToken, "no invite has this token");
  const EnrolmentClaim claim = claim_of(ledger, request);
  if (auto no = judge_claim(*invite, claim, request)) return *std::move(no);

  if (const registry::IssueEntry* issue = ledger.find_issue(request.token)) {
    if (WATTLE_CHECKED(join_token_used,
                       issue->address != claim.address || issue->csr_hash != claim.csr_hash))
      return refuse(Rule::TokenUsed, "this invite was used already, by another machine or key");
    const Member* member = ledger.find_member(issue->address);
    if (member == nullptr ||
        WATTLE_CHECKED(join_revoked, is_revoked(ledger, issue->serial) || member->revoked))
      return refuse(Rule::Revoked, "this member's certificate is revoked");
    if (is_of_retired_key(ledger, *member, issue->serial))
      return refuse(Rule::Expired,
                    "the certificate made for this invite is of a key that is retired since: "
                    "revoke " +
                        member->name + " and make a new invite");
    return Repetition{issue};
  }
  if (auto no = judge_waiting(*invite, claim, now)) return *std::move(no);
  if (WATTLE_CHECKED(join_name, ledger.is_member_name(invite->entry.name)))
    return refuse(Rule::NameTaken, "the name " + invite->entry.name + " is a member's already");
  if (WATTLE_CHECKED(join_clash, is_clash(ledger, claim.address, claim.address.short_id(),
                                          mac_of(ledger.network(), claim.address))))
    return refuse(Rule::IdClash, "another member has this key, short id or MAC: make a new key");

  const bool is_approved = joins == Joins::Open || invite->decision == Decision::Approved;
  if (!WATTLE_CHECKED(signer_approval, is_approved))
    return Wait{invite, claim.address, claim.csr_hash,
                "this network's administrator must approve " + invite->entry.name +
                    " first: wattle-registry node approve " + invite->entry.name};

  Approval approval{invite, claim.address, claim.csr_hash, {}};
  if (auto no = judge_prefix(ledger, *invite, request.prefix6, approval.bits))
    return *std::move(no);
  if (auto no = judge_ipv4(ledger, request.ipv4)) return *std::move(no);
  return approval;
}

std::optional<Refusal> judge(const Ledger& ledger, const sign_link::MakeInvite& request,
                             UnixTime now) {
  if (!WATTLE_CHECKED(invite_name, is_node_name(request.name)))
    return refuse(Rule::BadRequest,
                  "\"" + request.name +
                      "\" is not a node name: use 1 to 63 of the characters a-z, 0-9 and -");
  const int most = 128 - ledger.genesis().prefix.length;
  if (WATTLE_CHECKED(invite_prefix, request.prefix_length < 1 || request.prefix_length > most))
    return refuse(Rule::BadRequest,
                  "a member's prefix length must be 1 to " + std::to_string(most));
  if (WATTLE_CHECKED(invite_flags, (request.flags & ~kFlagRelay) != 0))
    return refuse(Rule::BadRequest, "an invite may carry the flag relay only");
  if (WATTLE_CHECKED(invite_life, request.expires <= now ||
                                      request.expires.seconds > now.seconds + kMaxInviteLife))
    return refuse(Rule::BadRequest, "an invite must expire within 1 second to 366 days from now");
  if (WATTLE_CHECKED(invite_name_held, ledger.is_name_held(request.name, now)))
    return refuse(Rule::NameTaken, "the name " + request.name +
                                       " is taken by a member or an open invite: choose another");
  if (WATTLE_CHECKED(invite_token, ledger.find_invite(token_id(request.key)) != nullptr))
    return refuse(Rule::BadRequest, "this token exists already");
  return std::nullopt;
}

}  // namespace wattle::signer
