// Judgement of what happens to members that exist, and of the document's parameters.
#include "common/base/mutant.h"
#include "common/base/parse.h"
#include "common/crypto/certificate.h"
#include "common/proto/line.h"
#include "registry/signer/judge.h"

namespace wattle::signer {
namespace {

using sign_link::Rule;

constexpr std::size_t kRevocationLine = 64;  // bytes in the document, at most
constexpr std::size_t kSpare = 256;  // bytes that numbers of the document may grow by, and time

Refusal refuse(Rule rule, std::string sentence) { return {rule, std::move(sentence)}; }

Refusal no_member(const std::string& name) {
  return refuse(Rule::UnknownMember,
                "the network has no member " + name + ": wattle-registry node list shows them");
}

struct Parameter {
  const char* key;
  std::uint64_t low, high;
  void (*set)(NetworkDocument& document, std::uint64_t value);
};
constexpr const char* kMinProtocol = "min-protocol";
constexpr Parameter kParameters[] = {
    {"mtu", 576, 9000,
     [](NetworkDocument& d, std::uint64_t v) { d.mtu = static_cast<std::uint16_t>(v); }},
    {kMinProtocol, 0, 65535,
     [](NetworkDocument& d, std::uint64_t v) { d.min_protocol = static_cast<std::uint16_t>(v); }},
    {"ttl", 3600, 366ull * 24 * 3600, [](NetworkDocument& d, std::uint64_t v) { d.ttl = v; }},
};

}  // namespace

RenewalJudgement judge(const Ledger& ledger, const sign_link::Renew& request, UnixTime now) {
  EnrolmentClaim claim;
  claim.network = ledger.network();
  const AddressFault fault = parse_address(ByteView(request.address), claim.address);
  if (WATTLE_CHECKED(renew_address, fault != AddressFault::None))
    return refuse(Rule::BadRequest, "the node's address is wrong: " + std::string(phrase(fault)));
  claim.csr_hash = crypto::sha256(request.csr);
  claim.nonce = request.nonce;
  if (!WATTLE_CHECKED(renew_signature, verify_enrolment(claim, request.signature)))
    return refuse(Rule::BadSignature, "the identity key's signature does not verify");
  const Member* member = ledger.find_member(claim.address);
  const auto comes_back = judge_return(ledger, request, claim, now);
  if (member == nullptr && !comes_back)
    return refuse(Rule::UnknownMember, "no member of this network has this address");
  if (member != nullptr && WATTLE_CHECKED(renew_revoked, member->revoked))
    return refuse(Rule::Revoked, "renewal refused: this member's certificates are revoked");
  if (!WATTLE_CHECKED(renew_csr, crypto::check_csr(request.csr)))
    return refuse(Rule::BadRequest, "the certificate request is not a signed P-256 request");
  if (member != nullptr && member->csr_hash == claim.csr_hash && member->newest().until > now &&
      ledger.has_newest_keys(member->newest()))
    return Reminder{member};
  if (member != nullptr && WATTLE_CHECKED(renew_nonce, member->nonces.contains(request.nonce)))
    return refuse(Rule::Replayed, "this request was made before: sign a new one");
  if (comes_back) {
    if (const auto* no = std::get_if<Refusal>(&*comes_back)) return *no;
    return std::get<Adoption>(*comes_back);
  }
  const Held& newest = member->newest();
  if (WATTLE_CHECKED(renew_grace, newest.until.seconds + kGrace <= now.seconds))
    return refuse(Rule::Expired,
                  "this member's certificate ended more than 30 days ago: join again, with a new "
                  "invite and a new key");
  return Renewal{member, claim.csr_hash};
}

std::variant<Refusal, const Invite*> judge(const Ledger& ledger, const sign_link::Approve& request,
                                           UnixTime now) {
  const Invite* invite = ledger.find_waiting(request.name, now);
  if (invite == nullptr)
    return refuse(Rule::UnknownMember, "no join waits under the name " + request.name +
                                           ": wattle-registry node list shows those that do");
  if (request.approved && invite->decision == Decision::Approved)
    return refuse(Rule::BadRequest, "the join of " + request.name +
                                        " is approved already: it goes through as soon as its "
                                        "machine asks again");
  return invite;
}

std::optional<Refusal> judge(const Ledger& ledger, const sign_link::Rename& request, UnixTime now) {
  const Member* member = ledger.find_member(request.name);
  if (member == nullptr) return no_member(request.name);
  if (!WATTLE_CHECKED(rename_name, is_node_name(request.to)))
    return refuse(
        Rule::BadRequest,
        "\"" + request.to + "\" is not a node name: use 1 to 63 of the characters a-z, 0-9 and -");
  if (request.to == request.name)
    return refuse(Rule::BadRequest, request.name + " has this name already");
  if (WATTLE_CHECKED(rename_held, ledger.is_name_held(request.to, now, &member->address)))
    return refuse(Rule::NameTaken, "the name " + request.to +
                                       " is taken by a member, an open invite or a certificate "
                                       "that has not ended: choose another");
  return std::nullopt;
}

std::optional<Refusal> judge(const Ledger& ledger, const sign_link::Revoke& request) {
  const Member* member = ledger.find_member(request.name);
  if (member == nullptr) return no_member(request.name);
  const std::size_t more = member->held.size() * kRevocationLine + kSpare;
  if (WATTLE_CHECKED(revoke_room, ledger.document_text().size() + more > kMaxDocument))
    return refuse(Rule::Limit, "the network document has no room for more revocations");
  return std::nullopt;
}

std::optional<Refusal> judge(const Ledger& ledger, const sign_link::SetFlags& request) {
  const Member* member = ledger.find_member(request.name);
  if (member == nullptr) return no_member(request.name);
  if (WATTLE_CHECKED(flags_relay, ((request.flags ^ member->flags) & ~kFlagRelay) != 0))
    return refuse(Rule::BadRequest, "only the flag relay can be changed");
  return std::nullopt;
}

std::variant<Refusal, NetworkDocument> judge(const Ledger& ledger,
                                             const sign_link::SetDocument& request) {
  NetworkDocument out = ledger.document();
  if (request.key == "broadcast") {
    if (request.value != "yes" && request.value != "no")
      return refuse(Rule::BadRequest, "broadcast must be yes or no");
    out.broadcast = request.value == "yes";
    return out;
  }
  for (const Parameter& p : kParameters) {
    if (request.key != p.key) continue;
    const auto value = parse_decimal(request.value);
    if (value && request.key == kMinProtocol &&
        !WATTLE_CHECKED(signer_min_protocol, *value <= kMetaVersion))
      return refuse(Rule::BadRequest, "this wattle speaks protocol " +
                                          std::to_string(kMetaVersion) +
                                          ": a higher min-protocol would cut off every member");
    if (!value || WATTLE_CHECKED(parameter_low, *value < p.low) || *value > p.high)
      return refuse(Rule::BadRequest, request.key + " must be a number from " +
                                          std::to_string(p.low) + " to " + std::to_string(p.high));
    p.set(out, *value);
    return out;
  }
  return refuse(Rule::BadRequest, "the network has no parameter \"" + request.key +
                                      "\": mtu, broadcast, min-protocol and ttl can be set");
}

}  // namespace wattle::signer
