#include "metad/core/membership.h"

#include <algorithm>

#include "common/base/mutant.h"
#include "common/proto/origin_record.h"

namespace wattle::metad {
namespace {

constexpr std::string_view kCertificateLabel = "CERTIFICATE";
constexpr std::string_view kCredentialLabel = "WATTLE CREDENTIAL";

// The rest of `out`; certificate and credential must be of one issue.
Result<void> compare(const crypto::VerifiedCertificate& certificate, JudgedMembership& out) {
  out.serial = certificate.says.serial;
  out.name = certificate.says.dns_name;
  if (WATTLE_CHECKED(membership_serial, out.credential.serial != out.serial))
    return Error(Errc::Denied, "certificate and credential have different serials");
  if (WATTLE_CHECKED(membership_name, out.credential.name_hash != name_hash(out.name)))
    return Error(Errc::Denied, "certificate and credential have different names");
  out.not_before = std::max(certificate.says.not_before, out.credential.not_before);
  out.not_after = std::min(certificate.says.not_after, out.credential.not_after);
  out.tls_key = certificate.public_key;
  return {};
}

}  // namespace

Result<JudgedMembership> judge_membership(const Membership& membership,
                                          std::span<const Bytes> ca_ders, const Trust& trust) {
  const auto claim = decode_credential(membership.credential);
  if (!claim) return Error(Errc::BadSyntax, "the credential does not verify (constants)");
  // Any moment at which the credential says to be valid.
  const UnixTime moment{claim->not_after.seconds == 0 ? 0 : claim->not_after.seconds - 1};
  const auto verified = WATTLE_TRY(crypto::verify_by_any(membership.certificate, ca_ders, moment));
  JudgedMembership out;
  out.address = WATTLE_TRY(parse_address_text(verified.certificate.says.anode_text));
  const Check check =
      accept_credential(trust, membership.credential, out.address, moment, 0, out.credential);
  if (WATTLE_CHECKED(membership_credential, check != Check::Accept))
    return Error(Errc::Denied,
                 "the credential does not verify (" + std::string(check_name(check)) + ")");
  WATTLE_TRY(compare(verified.certificate, out));
  return out;
}

Result<JudgedMembership> read_own_membership(const Membership& membership,
                                             const NetworkId& network) {
  const auto certificate = WATTLE_TRY(crypto::read_own_certificate(membership.certificate));
  JudgedMembership out;
  out.credential = WATTLE_TRY(decode_credential(membership.credential));
  out.address = WATTLE_TRY(parse_address_text(certificate.says.anode_text));
  if (out.credential.network != network || out.credential.address != out.address)
    return Error(Errc::Denied, "the credential is of another network or another node");
  WATTLE_TRY(compare(certificate, out));
  return out;
}

std::string print_membership(const Membership& membership) {
  return crypto::der_to_pem(membership.certificate, kCertificateLabel) +
         crypto::der_to_pem(membership.credential, kCredentialLabel);
}

Result<Membership> parse_membership(std::string_view text) {
  Membership out;
  out.certificate = WATTLE_TRY(crypto::pem_to_der(text, kCertificateLabel));
  const Bytes credential = WATTLE_TRY(crypto::pem_to_der(text, kCredentialLabel));
  if (credential.size() != kCredentialSize)
    return Error(Errc::BadSyntax, "the credential has not 216 bytes");
  out.credential = to_array<kCredentialSize>(credential);
  return out;
}

}  // namespace wattle::metad
