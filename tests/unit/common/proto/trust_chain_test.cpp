#include "common/proto/trust_chain.h"

#include <gtest/gtest.h>

#include "common/base/hex.h"
#include "common/proto/document_text.h"
#include "common/proto/labels.h"
#include "tests/support/test_ca.h"

namespace wattle {
namespace {

// key(n): document keys of a network, 0 is genesis's.
class TrustChainTest : public testing::Test {
 protected:
  TrustChainTest() : chain_({network_, key(0).public_key(), test_key(210).public_key(), {1, 2}}) {
    document_.network = network_;
    document_.version = 1;
  }
  static crypto::PrivateKey key(int n) { return test_key(static_cast<std::uint8_t>(100 + n)); }
  // Appends key `to` to the chain of `d`, signed by `by`.
  void rotate(NetworkDocument& d, int by, int to) const {
    d.document_keys.push_back(sign_document_key(network_, key(to).public_key(), key(by)));
  }
  void hold(const NetworkDocument& d, int signer) {
    chain_.hold(WATTLE_MUST(chain_.open(build_network_document(d, key(signer)))));
  }
  Errc refusal(const NetworkDocument& d, int signer) const {
    const auto opened = chain_.open(build_network_document(d, key(signer)));
    return opened ? Errc::NotFound : opened.error().code;
  }

  NetworkId network_{0xab, 1};
  TrustChain chain_;
  NetworkDocument document_;
};

TEST_F(TrustChainTest, BeginsWithGenesis) {
  EXPECT_EQ(chain_.document_key(), key(0).public_key());
  EXPECT_EQ(chain_.credential_keys(), std::vector{test_key(210).public_key()});
  EXPECT_EQ(chain_.ca_ders(), (std::vector<Bytes>{{1, 2}}));
  EXPECT_TRUE(chain_.has_ca(Bytes{1, 2}));
  EXPECT_FALSE(chain_.has_ca(Bytes{1, 3}));
  hold(document_, 0);
  EXPECT_EQ(chain_.document_key(), key(0).public_key());
  EXPECT_EQ(refusal(document_, 1), Errc::BadSignature);
}

TEST_F(TrustChainTest, FollowsARotation) {
  hold(document_, 0);
  rotate(document_, 0, 1);
  hold(document_, 1);
  EXPECT_EQ(chain_.document_key(), key(1).public_key());
  EXPECT_TRUE(chain_.open(build_network_document(document_, key(1))));
}

TEST_F(TrustChainTest, WhoWasAwayDuringTwoRotationsCatchesUp) {
  hold(document_, 0);
  rotate(document_, 0, 1);
  rotate(document_, 1, 2);
  hold(document_, 2);
  EXPECT_EQ(chain_.document_key(), key(2).public_key());
}

TEST_F(TrustChainTest, WhoKnowsGenesisOnlyMayBeginAnywhere) {
  rotate(document_, 0, 1);
  rotate(document_, 1, 2);
  EXPECT_TRUE(chain_.open(build_network_document(document_, key(2))));
}

TEST_F(TrustChainTest, RefusesAnOldKeyAfterARotation) {
  rotate(document_, 0, 1);
  hold(document_, 1);
  NetworkDocument shortened = document_;
  shortened.document_keys.clear();
  shortened.version = 9;
  EXPECT_EQ(refusal(shortened, 0), Errc::Exists);
  // The chain as it is, but signed by the key before its last.
  std::string text = build_network_document(document_, key(1));
  text.resize(text.rfind("signature "));
  add_signature(text, kLabelDocument, key(0));
  EXPECT_EQ(chain_.open(text).error().code, Errc::BadSignature);
}

TEST_F(TrustChainTest, RefusesAFork) {
  NetworkDocument forked = document_;
  rotate(document_, 0, 1);
  hold(document_, 1);
  rotate(forked, 0, 3);
  EXPECT_EQ(refusal(forked, 3), Errc::Exists);
  rotate(forked, 3, 4);  // longer than ours
  rotate(forked, 4, 5);
  EXPECT_EQ(refusal(forked, 5), Errc::Exists);
}

TEST_F(TrustChainTest, RefusesAForkFurtherBack) {
  rotate(document_, 0, 1);
  NetworkDocument forked = document_;
  rotate(document_, 1, 2);
  hold(document_, 2);
  EXPECT_EQ(refusal(forked, 1), Errc::Exists);
  rotate(forked, 1, 3);
  EXPECT_EQ(refusal(forked, 3), Errc::Exists);
}

TEST_F(TrustChainTest, RefusesALinkThatTheKeyBeforeHasNotSigned) {
  rotate(document_, 3, 1);  // an unrelated key
  EXPECT_EQ(refusal(document_, 1), Errc::BadSignature);
  document_.document_keys.clear();
  rotate(document_, 0, 1);
  rotate(document_, 0, 2);  // not the one before, though one of the chain
  EXPECT_EQ(refusal(document_, 2), Errc::BadSignature);
  document_.document_keys = {sign_document_key({0xcd}, key(1).public_key(), key(0))};
  EXPECT_EQ(refusal(document_, 1), Errc::BadSignature);  // of another network
}

TEST_F(TrustChainTest, AnotherSignatureOfTheSameKeyIsTheSameChain) {
  rotate(document_, 0, 1);
  hold(document_, 1);
  NetworkDocument again = document_;
  again.document_keys.clear();
  rotate(again, 0, 1);
  EXPECT_TRUE(chain_.open(build_network_document(again, key(1))));
}

TEST_F(TrustChainTest, KeysInForceAreTheDocuments) {
  const auto old_key = test_key(210).public_key(), new_key = test_key(9).public_key();
  document_.credential_keys = {old_key, new_key};
  document_.ca_ders = {{1, 2}, {3, 4, 5}};
  hold(document_, 0);
  EXPECT_EQ(chain_.credential_keys(), (std::vector{old_key, new_key}));
  EXPECT_TRUE(chain_.has_ca(Bytes{1, 2}) && chain_.has_ca(Bytes{3, 4, 5}));
  document_.credential_keys = {new_key};
  document_.ca_ders = {{3, 4, 5}};
  hold(document_, 0);
  EXPECT_EQ(chain_.credential_keys(), std::vector{new_key});
  EXPECT_FALSE(chain_.has_ca(Bytes{1, 2}));
  document_.credential_keys.clear();
  document_.ca_ders.clear();
  hold(document_, 0);
  EXPECT_EQ(chain_.credential_keys(), std::vector{old_key});
  EXPECT_TRUE(chain_.has_ca(Bytes{1, 2}));
}

TEST(KeyKind, HasNames) {
  EXPECT_EQ(key_kind_name(KeyKind::Document), "document");
  EXPECT_EQ(key_kind_name(KeyKind::Credential), "credential");
  EXPECT_EQ(key_kind_name(KeyKind::Ca), "ca");
  EXPECT_TRUE(is_valid(KeyKind::Ca));
  EXPECT_FALSE(is_valid(static_cast<KeyKind>(3)));
}

}  // namespace
}  // namespace wattle
