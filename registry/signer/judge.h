// The rules by which the signer judges a request (DESIGN 2; security.md 5.6): against its own
// ledger, never against the asker's word. Pure: nothing is signed or written here.
#pragma once

#include <string>
#include <variant>

#include "common/ipc/sign_link.h"
#include "registry/signer/ledger.h"

namespace wattle::signer {

struct Refusal {
  sign_link::Rule rule = sign_link::Rule::BadRequest;
  std::string sentence;
};
// A new member may be made. `invite` belongs to the ledger and lives until its next apply().
struct Approval {
  const Invite* invite = nullptr;
  NodeAddress address;
  crypto::Hash csr_hash{};
  std::string bits;  // of the member's prefix inside the network
};
// The same token, address and CSR were answered before: the stored bytes go out again.
struct Repetition {
  const registry::IssueEntry* issue = nullptr;
};
// It must be approved first. `invite` as above.
struct Wait {
  const Invite* invite = nullptr;
  NodeAddress address;
  crypto::Hash csr_hash{};
  std::string sentence;
  bool is_known() const { return invite->asked.has_value(); }  // the journal has it
};
using Judgement = std::variant<Refusal, Approval, Repetition, Wait>;

enum class Joins : std::uint8_t { Open, Approved };  // `approval` in registry.conf

// In this order: token known; proof (constant time); address form and zone; enrolment signature;
// CSR; a used token (repetition, or TokenUsed); rejected; another machine waits with it; expiry
// (who waits was in time); name; address, short id and MAC; approval; prefix; IPv4. Who cannot
// prove the token learns nothing but UnknownToken or BadProof.
Judgement judge(const Ledger& ledger, const sign_link::Issue& request, UnixTime now,
                Joins joins = Joins::Open);

// True if a member with another address has this short id or MAC, or this very address is a
// member's.
bool is_clash(const Ledger& ledger, const NodeAddress& address, const ShortId& id,
              const MacAddress& mac);

inline constexpr std::uint64_t kMaxInviteLife = 366ull * 24 * 3600;

// Whether this invite may be made; no value means yes.
std::optional<Refusal> judge(const Ledger& ledger, const sign_link::MakeInvite& request,
                             UnixTime now);

// A member may have a newer certificate. `member` belongs to the ledger and lives until its next
// apply().
struct Renewal {
  const Member* member = nullptr;
  crypto::Hash csr_hash{};
};
// The member's newest certificate was made for this very CSR, has not ended and no newer key has
// taken over: its bytes again.
struct Reminder {
  const Member* member = nullptr;
};
// After a loss of the journal (LostEntry): the member's last certificate, or the whole member, was
// lost; the credential that it shows proves what it had.
struct Adoption {
  const Member* member = nullptr;  // null: the journal does not know it
  NodeAddress address;
  crypto::Hash csr_hash{};
  CredentialBytes before{};
  IpPrefix prefix6;
  IpAddress ipv4;
  std::uint8_t flags = 0;
  std::string name;
};
using RenewalJudgement = std::variant<Refusal, Renewal, Reminder, Adoption>;

inline constexpr std::uint64_t kGrace = 30ull * 24 * 3600;  // after the end of a certificate

// In this order: address form; enrolment signature (zero token id); member known; not revoked; CSR;
// repetition; nonce new; not longer ended than the grace period.
// An unknown member with a credential goes through judge_return().
RenewalJudgement judge(const Ledger& ledger, const sign_link::Renew& request, UnixTime now);

// What a request that shows a credential of `claim`'s address is after a loss. No value: the
// journal knows that credential, or it cannot have been lost. In this order: form, network, owner,
// signature and revocation; older than the loss; not longer ended than the grace period; name;
// short id and MAC; prefix; IPv4.
std::optional<std::variant<Refusal, Adoption>> judge_return(const Ledger& ledger,
                                                            const sign_link::Renew& request,
                                                            const EnrolmentClaim& claim,
                                                            UnixTime now);

// The invite of a join that waits (or was approved and has not come back: it may still be
// rejected).
std::variant<Refusal, const Invite*> judge(const Ledger& ledger, const sign_link::Approve& request,
                                           UnixTime now);

// What root asks for; no value means yes.
std::optional<Refusal> judge(const Ledger& ledger, const sign_link::Rename& request, UnixTime now);
std::optional<Refusal> judge(const Ledger& ledger, const sign_link::Revoke& request);
std::optional<Refusal> judge(const Ledger& ledger, const sign_link::SetFlags& request);
std::optional<Refusal> judge(const Ledger& ledger, const sign_link::RotateKey& request);
// Refused while a member's only good certificate is of the older key, unless it is forced.
std::optional<Refusal> judge(const Ledger& ledger, const sign_link::RetireKey& request,
                             UnixTime now);
// The present document with the parameter set; version, time and lists are the notary's to set.
std::variant<Refusal, NetworkDocument> judge(const Ledger& ledger,
                                             const sign_link::SetDocument& request);

}  // namespace wattle::signer
