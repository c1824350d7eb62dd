#include "common/proto/enrolment.h"

#include <gtest/gtest.h>

#include "tests/support/test_ca.h"

namespace wattle {
namespace {

EnrolmentClaim claim() {
  EnrolmentClaim out;
  out.network = {1};
  out.address = NodeAddress::from_key(test_key(1).public_key());
  out.csr_hash = {2};
  out.token = {3};
  out.nonce = {4};
  return out;
}

Bytes join(std::initializer_list<ByteView> parts) {
  Bytes out;
  for (const ByteView part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

TEST(Enrolment, KeyAndIdFollowTheirFormulas) {
  const InviteToken token{9, 8, 7};
  const InviteKey key = invite_key(token);
  EXPECT_EQ(key, crypto::sha256(join({as_bytes(std::string_view("wattle/invite\0", 14)), token})));
  const crypto::Hash id =
      crypto::sha256(join({as_bytes(std::string_view("wattle/invite-id\0", 17)), key}));
  EXPECT_EQ(token_id(key), to_array<16>(id));
  EXPECT_FALSE(equal(token_id(key), token));
}

TEST(Enrolment, ProofCoversEverything) {
  const InviteKey key = invite_key({1});
  const crypto::Hash good = enrolment_proof(key, claim());
  const EnrolmentClaim c = claim();
  EXPECT_EQ(good,
            crypto::hmac_sha256(key, join({c.network, c.address.bytes, c.csr_hash, c.nonce})));
  const auto changed = [&](auto change) {
    EnrolmentClaim other = claim();
    change(other);
    return enrolment_proof(key, other) != good;
  };
  EXPECT_TRUE(changed([](EnrolmentClaim& o) { o.network[0] ^= 1; }));
  EXPECT_TRUE(changed([](EnrolmentClaim& o) { o.address.bytes[39] ^= 1; }));
  EXPECT_TRUE(changed([](EnrolmentClaim& o) { o.csr_hash[0] ^= 1; }));
  EXPECT_TRUE(changed([](EnrolmentClaim& o) { o.nonce[0] ^= 1; }));
  EXPECT_NE(enrolment_proof(invite_key({2}), claim()), good);
}

TEST(Enrolment, MessageHasItsLabelAndItsPadding) {
  const EnrolmentClaim c = claim();
  EXPECT_EQ(enrolment_message(c), join({as_bytes(std::string_view("wattle/enrol/1\0", 15)),
                                        c.network, c.csr_hash, c.token, Bytes(16), c.nonce}));
}

TEST(Enrolment, SignatureCoversEverything) {
  const crypto::PrivateKey identity = test_key(1);
  const crypto::Signature signature = sign_enrolment(claim(), identity);
  EXPECT_TRUE(verify_enrolment(claim(), signature));
  const auto refused = [&](auto change) {
    EnrolmentClaim other = claim();
    change(other);
    return !verify_enrolment(other, signature);
  };
  EXPECT_TRUE(refused([](EnrolmentClaim& o) { o.network[0] ^= 1; }));
  EXPECT_TRUE(refused([](EnrolmentClaim& o) { o.csr_hash[31] ^= 1; }));
  EXPECT_TRUE(refused([](EnrolmentClaim& o) { o.token = {}; }));  // no renewal out of a join
  EXPECT_TRUE(refused([](EnrolmentClaim& o) { o.nonce[15] ^= 1; }));
  EXPECT_TRUE(refused(
      [](EnrolmentClaim& o) { o.address = NodeAddress::from_key(test_key(2).public_key()); }));
  EXPECT_FALSE(verify_enrolment(claim(), ByteView(signature).first(63)));
  EXPECT_FALSE(verify_enrolment(claim(), sign_enrolment(claim(), test_key(2))));
}

}  // namespace
}  // namespace wattle
