// Internal to common/crypto: what issuing, checking and reading certificates share.
#pragma once

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/base/time.h"
#include "common/crypto/library.h"
#include "common/crypto/p256.h"
#include "common/net/ip_address.h"

namespace wattle::crypto {

inline constexpr std::size_t kMaxDer = 16 * 1024;  // no certificate or CSR of ours comes near

// One DER object and nothing behind it; null otherwise.
X509Handle read_certificate(ByteView der);
RequestHandle read_request(ByteView der);
Bytes to_der(X509* certificate);
Bytes to_der(X509_REQ* request);

// The key of a SubjectPublicKeyInfo: P-256 by name, uncompressed (91 bytes), a valid point.
// BadValue or BadPoint.
Result<PublicKey> key_of_spki(X509_PUBKEY* spki);

void set_common_name(X509_NAME* name, std::string_view text);
void set_serial(X509* certificate, std::uint64_t serial);
void set_validity(X509* certificate, UnixTime from, UnixTime until);
// An extension in the syntax of x509v3_config(5); only constants and checked values come here.
void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value);
// RFC 3779, critical; one prefix of each family, the second one optional.
void add_address_blocks(X509* certificate, const IpPrefix& first, const IpPrefix* second);
// The prefixes of the RFC 3779 extension: NotFound without it, BadValue for more than one prefix in
// a family's block, ranges, inheritance or a SAFI.
struct AddressBlocks {
  std::vector<IpPrefix> v4, v6;
};
Result<AddressBlocks> address_blocks(X509* certificate);
void sign_certificate(X509* certificate, const PrivateKey& key);

}  // namespace wattle::crypto
