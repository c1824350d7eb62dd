// The X.509 side of membership (DESIGN 2): CA and member certificates with RFC 3779 address blocks,
// CSRs, and the profile check. Everything is DER at the border.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/crypto/p256.h"
#include "common/net/ip_address.h"

namespace wattle::crypto {

// The CA certificate: CN `wattle NET`, serial = `1` + the bits of the network's IPv6 prefix
// (re6st), path length 0, RFC 3779 blocks of the whole network (v6 and, if given, v4), self-signed.
Result<Bytes> make_ca_certificate(const PrivateKey& ca, std::string_view network_name,
                                  const IpPrefix& network6, const IpPrefix* network4,
                                  UnixTime not_before, UnixTime not_after);

struct MemberCertificate {
  std::string
      common_name;         // re6st's form: `2/16` (decimal value of the prefix bits / their number)
  std::string anode_text;  // base32 Anode address, goes into SAN URI anode:<...>
  std::string dns_name;    // node name, SAN DNS
  IpPrefix prefix6;        // the member's IPv6 prefix
  IpPrefix address4;       // its IPv4 address (/32) or, for routers, shorter
  std::uint64_t serial = 0;
  UnixTime not_before;
  UnixTime not_after;
};

// A member certificate for the public key in `csr_der`, signed by the CA. The CSR must be P-256 and
// its own signature right.
Result<Bytes> issue_certificate(const PrivateKey& ca, ByteView ca_der,
                                const MemberCertificate& what, ByteView csr_der);

// A CSR (DER) signed by `key`; the subject is empty but for CN=wattle (the registry decides).
Result<Bytes> make_csr(const PrivateKey& key);
// Checks a CSR's own signature and that its key is P-256; returns the compressed public key.
Result<PublicKey> check_csr(ByteView csr_der);

// Parses and verifies a member certificate against the CA: chain with RFC 3779 validation, time,
// and wattle's profile (P-256; CA false; keyUsage digitalSignature; EKU client and server; exactly
// one SAN URI anode:<address>, one SAN DNS; no unknown critical extension). Returns what it says.
struct VerifiedCertificate {
  MemberCertificate says;
  PublicKey public_key;
};
Result<VerifiedCertificate> verify_certificate(ByteView der, ByteView ca_der, UnixTime now);

// Against each of the CAs in force; `ca` is the one it verifies against. The error is the one that
// says most.
struct VerifiedByOne {
  VerifiedCertificate certificate;
  Bytes ca;
};
Result<VerifiedByOne> verify_by_any(ByteView der, std::span<const Bytes> ca_ders, UnixTime now);

// The profile alone, no chain and no time: for one's own certificate whose CA is not in force any
// more, which is good for its renewal and nothing else. Never for another's.
Result<VerifiedCertificate> read_own_certificate(ByteView der);

// A self-signed P-256 certificate for the registry's HTTPS listener (CN = host).
Result<Bytes> make_https_certificate(const PrivateKey& key, std::string_view host, UnixTime now);

std::string der_to_pem(ByteView der, std::string_view label);  // label: CERTIFICATE ...
Result<Bytes> pem_to_der(std::string_view pem, std::string_view label);

// SHA-256 of the key's SubjectPublicKeyInfo DER: what genesis pins and curl's pinnedpubkey
// compares.
ByteArray<32> spki_hash(const PrivateKey& key);

}  // namespace wattle::crypto
