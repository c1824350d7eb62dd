// A membership: certificate and credential of one issue, with the same serial (DESIGN 2). Judged
// whole, but for the time: the clock of this host may be wrong, and an ended one may be renewed for
// kGrace longer. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/crypto/certificate.h"
#include "common/proto/acceptance.h"
#include "common/proto/trust_chain.h"

namespace wattle::metad {

// Both are valid from this long before their issue (clocks differ), so that much of their life is
// none.
inline constexpr std::uint64_t kBackdated = 300;            // seconds
inline constexpr std::uint64_t kGrace = 30 * 24 * 60 * 60;  // seconds, for renewal only

inline constexpr const char* kRenewedFile = "renewed";  // of the last one, in the state folder

struct Membership {
  Bytes certificate;  // DER
  CredentialBytes credential{};
};

struct JudgedMembership {
  NodeAddress address;
  std::string name;
  std::uint64_t serial = 0;
  UnixTime not_before, not_after;  // when both are valid
  crypto::PublicKey tls_key{};
  Credential credential;
};

// Chain and profile of the certificate, acceptance of the credential for the address that the
// certificate names, one serial, one name. The error is a sentence. Validity is not compared with
// any clock.
Result<JudgedMembership> judge_membership(const Membership& membership,
                                          std::span<const Bytes> ca_ders, const Trust& trust);
// The own one, though a key that made it may be retired: what it says, unverified but for its form.
// Good for its renewal, which needs nothing but the identity key, and for nothing else.
Result<JudgedMembership> read_own_membership(const Membership& membership,
                                             const NetworkId& network);

// The state file: one text, so that there are both or neither.
std::string print_membership(const Membership& membership);
Result<Membership> parse_membership(std::string_view text);

}  // namespace wattle::metad
