#include "common/crypto/init.h"

#include <openssl/err.h>
#include <openssl/rand.h>

#include "common/crypto/aead.h"
#include "common/crypto/certificate.h"
#include "common/crypto/digest.h"
#include "common/crypto/key_heap.h"
#include "common/crypto/library.h"
#include "common/crypto/p256.h"

namespace wattle::crypto {
namespace {

void warm_generator() {
  const KeyScope scope;  // what it is seeded with stays as secret as a key
  ByteArray<16> bytes{};
  must(RAND_poll() == 1 && RAND_bytes(bytes.data(), 16) == 1 &&
           RAND_priv_bytes(bytes.data(), 16) == 1,
       "random generator");
}

void warm_keys(const PrivateKey& key) {
  const ByteArray<16> data{};
  WATTLE_CHECK(verify(key.public_key(), data, key.sign(data)) == Verdict::Good);
  WATTLE_CHECK(key.dh(key.public_key()).has_value());
  const auto again = PrivateKey::from_pem(key.to_pem());
  WATTLE_CHECK(again && again->public_key() == key.public_key());
  static_cast<void>(hmac_sha256(data, data));
  static_cast<void>(aes_cmac(ByteArray<32>{}, data));
  static_cast<void>(aes_digest(data));
  ByteArray<16 + kTagSize> sealed{};
  Aead(ByteArray<32>{}, Aead::Use::Seal).seal(0, data, data, sealed);
  ByteArray<16> opened{};
  WATTLE_CHECK(Aead(ByteArray<32>{}, Aead::Use::Open).open(0, data, sealed, opened));
}

// A whole life of a certificate, refusals included: they look up texts and names.
void warm_certificates(const PrivateKey& key) {
  const UnixTime from{1700000000};
  const UnixTime until{1700001000};
  const IpPrefix six = WATTLE_MUST(IpPrefix::parse("fd00::/48"));
  const IpPrefix four = WATTLE_MUST(IpPrefix::parse("10.0.0.0/8"));
  const Bytes ca = WATTLE_MUST(make_ca_certificate(key, "warm", six, &four, from, until));
  const Bytes csr = WATTLE_MUST(make_csr(key));
  MemberCertificate member;
  member.common_name = "0/16";
  member.anode_text.assign(64, 'a');
  member.dns_name = "warm";
  member.prefix6 = WATTLE_MUST(IpPrefix::parse("fd00::/64"));
  member.address4 = WATTLE_MUST(IpPrefix::parse("10.0.0.1/32"));
  member.serial = 1;
  member.not_before = from;
  member.not_after = until;
  const Bytes der = WATTLE_MUST(issue_certificate(key, ca, member, csr));
  WATTLE_CHECK(!verify_certificate(der, ca, {until.seconds + 1}));
  WATTLE_CHECK(!verify_certificate(csr, ca, from));
  static_cast<void>(WATTLE_MUST(make_https_certificate(key, "127.0.0.1", from)));
  static_cast<void>(spki_hash(key));
}

}  // namespace

void init() {
  static const bool done = [] {
    algorithms();
    warm_generator();
    const PrivateKey key = PrivateKey::generate();
    warm_keys(key);
    warm_certificates(key);
    static_cast<void>(ERR_error_string(ERR_PACK(ERR_LIB_X509, 0, 0), nullptr));
    drop_errors();
    return true;
  }();
  static_cast<void>(done);
}

}  // namespace wattle::crypto
