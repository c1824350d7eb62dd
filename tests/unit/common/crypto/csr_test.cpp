#include <gtest/gtest.h>

#include "common/crypto/certificate_parts.h"
#include "tests/support/test_ca.h"

namespace wattle::crypto {
namespace {

Bytes csr_of(EVP_PKEY* subject, EVP_PKEY* signer, const EVP_MD* digest) {
  const RequestHandle request(X509_REQ_new());
  WATTLE_CHECK(X509_REQ_set_pubkey(request.get(), subject) == 1);
  WATTLE_CHECK(X509_REQ_sign(request.get(), signer, digest) > 0);
  return to_der(request.get());
}

TEST(Csr, MakesAndChecks) {
  const PrivateKey key = test_key(1);
  const Bytes csr = WATTLE_MUST(make_csr(key));
  EXPECT_EQ(WATTLE_MUST(check_csr(csr)), key.public_key());
}

TEST(Csr, EveryCutAndATrailingByteAreRefused) {
  Bytes csr = WATTLE_MUST(make_csr(test_key(1)));
  for (std::size_t size = 0; size < csr.size(); ++size)
    EXPECT_EQ(check_csr(ByteView(csr).first(size)).error().code, Errc::BadSyntax) << size;
  csr.push_back(0);
  EXPECT_EQ(check_csr(csr).error().code, Errc::BadSyntax);
}

TEST(Csr, NoBitMayChange) {
  const Bytes csr = WATTLE_MUST(make_csr(test_key(1)));
  for (std::size_t bit = 0; bit < csr.size() * 8; ++bit) {
    Bytes bad = csr;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    EXPECT_FALSE(check_csr(bad)) << bit;
  }
}

TEST(Csr, SignedByAnotherKey) {
  const PrivateKey key = test_key(1);
  const PrivateKey other = test_key(2);
  EXPECT_TRUE(check_csr(csr_of(key.handle(), key.handle(), EVP_sha256())));
  EXPECT_EQ(check_csr(csr_of(key.handle(), other.handle(), EVP_sha256())).error().code,
            Errc::BadSignature);
}

TEST(Csr, OtherCurvesAlgorithmsAndDigests) {
  const KeyHandle p384(EVP_EC_gen("P-384"));
  EXPECT_EQ(check_csr(csr_of(p384.get(), p384.get(), EVP_sha256())).error().code, Errc::BadValue);
  const KeyHandle ed25519(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  EXPECT_EQ(check_csr(csr_of(ed25519.get(), ed25519.get(), nullptr)).error().code, Errc::BadValue);
  const PrivateKey key = test_key(1);
  EXPECT_EQ(check_csr(csr_of(key.handle(), key.handle(), EVP_sha384())).error().code,
            Errc::BadValue);
}

TEST(Csr, ACompressedKeyIsNotTheOneForm) {
  const PrivateKey key = test_key(1);
  const KeyHandle subject = WATTLE_MUST(public_key_handle(key.public_key()));
  EXPECT_TRUE(check_csr(csr_of(subject.get(), key.handle(), EVP_sha256())));
  WATTLE_CHECK(EVP_PKEY_set_utf8_string_param(subject.get(), "point-format", "compressed") == 1);
  EXPECT_EQ(check_csr(csr_of(subject.get(), key.handle(), EVP_sha256())).error().code,
            Errc::BadValue);
}

TEST(Csr, ThePointIsOnTheCurveWithBothHalves) {
  // The x and the parity of a good key, but another y: signed by that key, so only the point is
  // wrong.
  const PrivateKey key = test_key(1);
  const auto csr_with_y_changed = [&](std::uint8_t change) {
    const RequestHandle request(X509_REQ_new());
    WATTLE_CHECK(X509_REQ_set_pubkey(request.get(), key.handle()) == 1);
    X509_PUBKEY* const spki = X509_REQ_get_X509_PUBKEY(request.get());
    const unsigned char* point = nullptr;
    int size = 0;
    WATTLE_CHECK(X509_PUBKEY_get0_param(nullptr, &point, &size, nullptr, spki) == 1 && size == 65);
    auto* const copy = static_cast<unsigned char*>(OPENSSL_memdup(point, 65));
    copy[40] ^= change;
    WATTLE_CHECK(X509_PUBKEY_set0_param(spki, OBJ_nid2obj(NID_X9_62_id_ecPublicKey), V_ASN1_OBJECT,
                                        OBJ_nid2obj(NID_X9_62_prime256v1), copy, 65) == 1);
    WATTLE_CHECK(X509_REQ_sign(request.get(), key.handle(), EVP_sha256()) > 0);
    return to_der(request.get());
  };
  EXPECT_TRUE(check_csr(csr_with_y_changed(0)));
  EXPECT_EQ(check_csr(csr_with_y_changed(1)).error().code, Errc::BadPoint);
}

}  // namespace
}  // namespace wattle::crypto
