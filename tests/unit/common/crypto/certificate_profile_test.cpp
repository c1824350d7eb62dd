// Certificates that the CA signed but that break wattle's profile in one point each.
#include <gtest/gtest.h>

#include <functional>

#include "common/crypto/certificate.h"
#include "common/crypto/certificate_parts.h"
#include "tests/support/test_ca.h"

namespace wattle::crypto {
namespace {

const std::string kUri =
    "URI:anode:aeaaaaabaaaahwwqwzjziiq47gyfdyp6zjlypuey37tdp7eqxhxziximg5zfqema";

// A good member's parts; a test changes one.
struct Recipe {
  std::string basic = "critical,CA:FALSE";
  std::string usage = "critical,digitalSignature";
  std::string purposes = "serverAuth,clientAuth";
  std::string names = kUri + ",DNS:alice";
  std::string blocks = "critical,IPv6:2001:db8:42:2::/64,IPv4:10.91.4.1/32";
  std::vector<std::string> common_names = {"2/16"};
  const EVP_MD* digest = EVP_sha256();
  std::function<void(X509*)> more = {};
};

class Profile : public testing::Test {
 protected:
  Result<VerifiedCertificate> judge(const Recipe& recipe) {
    const X509Handle issuer = read_certificate(ca_.der);
    const X509Handle certificate(X509_new());
    X509* const x = certificate.get();
    WATTLE_CHECK(X509_set_version(x, X509_VERSION_3) == 1);
    set_serial(x, 77);
    for (const std::string& name : recipe.common_names)
      set_common_name(X509_get_subject_name(x), name);
    WATTLE_CHECK(X509_set_issuer_name(x, X509_get_subject_name(issuer.get())) == 1);
    WATTLE_CHECK(X509_set_pubkey(x, tls_.handle()) == 1);
    set_validity(x, kTestStart, kTestEnd);
    const auto add = [&](int nid, const std::string& value) {
      if (!value.empty()) add_extension(x, issuer.get(), nid, value);
    };
    add(NID_basic_constraints, recipe.basic);
    add(NID_key_usage, recipe.usage);
    add(NID_ext_key_usage, recipe.purposes);
    add(NID_subject_key_identifier, "hash");
    add(NID_authority_key_identifier, "keyid:always");
    add(NID_subject_alt_name, recipe.names);
    add(NID_sbgp_ipAddrBlock, recipe.blocks);
    if (recipe.more) recipe.more(x);
    WATTLE_CHECK(X509_sign(x, ca_.key.handle(), recipe.digest) > 0);
    return verify_certificate(to_der(x), ca_.der, kTestNow);
  }
  bool refused(const Recipe& recipe) { return !judge(recipe); }

  TestCa ca_;
  PrivateKey tls_ = test_key(1);
};

// An extension that nobody knows.
void add_unknown(X509* x, bool critical) {
  ASN1_OBJECT* object = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);
  ASN1_OCTET_STRING* data = ASN1_OCTET_STRING_new();
  ASN1_OCTET_STRING_set(data, reinterpret_cast<const unsigned char*>("\x05"), 1);
  X509_EXTENSION* extension = X509_EXTENSION_create_by_OBJ(nullptr, object, critical ? 1 : 0, data);
  X509_add_ext(x, extension, -1);
  X509_EXTENSION_free(extension);
  ASN1_OCTET_STRING_free(data);
  ASN1_OBJECT_free(object);
}

TEST_F(Profile, TheRecipeItselfIsGood) {
  const auto good = judge({});
  ASSERT_TRUE(good) << good.error().text();
  EXPECT_EQ(good->says.serial, 77u);
}

TEST_F(Profile, NoCa) {
  EXPECT_TRUE(
      refused({.basic = "critical,CA:TRUE", .usage = "critical,digitalSignature,keyCertSign"}));
  EXPECT_TRUE(refused({.basic = "critical,CA:TRUE"}));
  EXPECT_TRUE(refused({.basic = ""}));
}

TEST_F(Profile, KeyUsage) {
  EXPECT_TRUE(refused({.usage = ""}));
  EXPECT_TRUE(refused({.usage = "critical,keyAgreement"}));
  EXPECT_TRUE(refused({.usage = "critical,digitalSignature,keyAgreement"}));
}

TEST_F(Profile, Purposes) {
  EXPECT_TRUE(refused({.purposes = ""}));
  EXPECT_TRUE(refused({.purposes = "serverAuth"}));
  EXPECT_TRUE(refused({.purposes = "clientAuth"}));
  EXPECT_FALSE(refused({.purposes = "serverAuth,clientAuth,codeSigning"}));
}

TEST_F(Profile, AlternativeNames) {
  EXPECT_TRUE(refused({.names = ""}));
  EXPECT_TRUE(refused({.names = kUri}));
  EXPECT_TRUE(refused({.names = "DNS:alice"}));
  EXPECT_TRUE(refused({.names = kUri + ",DNS:alice,DNS:bob"}));
  EXPECT_TRUE(refused({.names = kUri + "," + kUri}));
  EXPECT_TRUE(refused({.names = "DNS:alice,DNS:bob"}));
  EXPECT_TRUE(refused({.names = kUri + "," + kUri + ",DNS:alice"}));
  EXPECT_TRUE(refused({.names = kUri + ",DNS:alice,email:a@b.c"}));
  EXPECT_TRUE(refused({.names = kUri + ",email:a@b.c"}));
  EXPECT_TRUE(refused({.names = kUri + ",DNS:Alice"}));
  EXPECT_TRUE(refused({.names = kUri + ",DNS:alice.home"}));
  EXPECT_TRUE(refused({.names = "URI:https:" + kUri.substr(10) + ",DNS:alice"}));
  EXPECT_TRUE(refused({.names = kUri.substr(0, kUri.size() - 1) + ",DNS:alice"}));
  EXPECT_TRUE(refused({.names = kUri.substr(0, kUri.size() - 1) + "1,DNS:alice"}));
}

TEST_F(Profile, CommonName) {
  EXPECT_TRUE(refused({.common_names = {}}));
  EXPECT_TRUE(refused({.common_names = {"2/16", "3/16"}}));
  EXPECT_TRUE(refused({.common_names = {"2 16"}}));
  EXPECT_TRUE(refused({.common_names = {}, .more = [](X509* x) {
                         X509_NAME_add_entry_by_NID(X509_get_subject_name(x), NID_organizationName,
                                                    MBSTRING_UTF8, as_bytes("2/16").data(), 4, -1,
                                                    0);
                       }}));
  EXPECT_TRUE(refused({.common_names = {"2/16\xc3\xa4"}}));
}

TEST_F(Profile, AddressBlocks) {
  EXPECT_TRUE(refused({.blocks = ""}));
  EXPECT_TRUE(refused({.blocks = "critical,IPv6:2001:db8:42:2::/64"}));
  EXPECT_TRUE(refused({.blocks = "critical,IPv4:10.91.4.1/32"}));
  EXPECT_TRUE(refused(
      {.blocks = "critical,IPv6:2001:db8:42:2::/64,IPv6:2001:db8:42:9::/64,IPv4:10.91.4.1/32"}));
  EXPECT_TRUE(refused({.blocks = "critical,IPv6:2001:db8:42:2::/64,IPv4:10.91.4.1-10.91.4.6"}));
  EXPECT_TRUE(refused({.blocks = "critical,IPv6:inherit,IPv4:10.91.4.1/32"}));
  EXPECT_TRUE(refused({.blocks = "critical,IPv6:2001:db8:42:2::/64,IPv4:inherit"}));
  EXPECT_TRUE(refused({.blocks = "critical,IPv6-SAFI:1:2001:db8:42:2::/64,IPv4:10.91.4.1/32"}));
  EXPECT_EQ(judge({.blocks = "critical,IPv6:2001:db8:43::/64,IPv4:10.91.4.1/32"}).error().code,
            Errc::Denied);
}

TEST_F(Profile, Extensions) {
  EXPECT_FALSE(refused({.more = [](X509* x) { add_unknown(x, false); }}));
  EXPECT_TRUE(refused({.more = [](X509* x) { add_unknown(x, true); }}));
  // Critical and known to OpenSSL, but no part of ours.
  EXPECT_TRUE(refused({.more = [](X509* x) {
    add_extension(x, x, NID_policy_constraints, "critical,requireExplicitPolicy:3");
  }}));
  EXPECT_TRUE(refused({.more = [](X509* x) {  // twice
    add_extension(x, x, NID_subject_alt_name, kUri + ",DNS:mallory");
  }}));
}

TEST_F(Profile, Digest) { EXPECT_TRUE(refused({.digest = EVP_sha384()})); }

TEST_F(Profile, Serial) {
  EXPECT_TRUE(refused({.more = [](X509* x) {
    const BigNumber big(BN_new());
    WATTLE_CHECK(BN_set_bit(big.get(), 64) == 1);
    WATTLE_CHECK(BN_to_ASN1_INTEGER(big.get(), X509_get_serialNumber(x)) != nullptr);
  }}));
  EXPECT_TRUE(refused({.more = [](X509* x) { ASN1_INTEGER_set(X509_get_serialNumber(x), -5); }}));
}

TEST_F(Profile, Key) {
  const KeyHandle p384(EVP_EC_gen("P-384"));
  EXPECT_EQ(judge({.more = [&](X509* x) { X509_set_pubkey(x, p384.get()); }}).error().code,
            Errc::BadValue);
}

TEST_F(Profile, SignedByItself) {
  EXPECT_TRUE(refused({.more = [&](X509* x) {
    WATTLE_CHECK(X509_set_pubkey(x, ca_.key.handle()) == 1);
    WATTLE_CHECK(X509_set_subject_name(x, X509_get_issuer_name(x)) == 1);
  }}));
}

TEST_F(Profile, Version) {
  EXPECT_TRUE(refused({.more = [](X509* x) { X509_set_version(x, X509_VERSION_2); }}));
}

}  // namespace
}  // namespace wattle::crypto
