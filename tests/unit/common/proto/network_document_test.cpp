#include "common/proto/network_document.h"

#include <gtest/gtest.h>

#include "common/base/hex.h"
#include "common/proto/document_text.h"
#include "common/proto/genesis.h"
#include "common/proto/labels.h"
#include "tests/support/test_ca.h"

namespace wattle {
namespace {

class DocumentTest : public testing::Test {
 protected:
  DocumentTest() {
    document_.network = {0xab, 1};
    document_.version = 7;
    document_.time = kTestStart;
    document_.registries = {"https://198.51.100.7:8443", "https://[2001:db8::1]:8443"};
    document_.mtu = 1400;
    document_.min_protocol = 1;
    document_.broadcast = false;
    document_.others = {{"relay-count", "3"}, {"motto", "two words"}};
    document_.reissue = {3, 17};
    document_.revoked = {{5, kTestEnd}, {9, kTestNow}};
    text_ = build_network_document(document_, key_);
  }

  Result<NetworkDocument> parse(std::string_view text) const {
    return parse_network_document(text, key_.public_key(), document_.network);
  }
  std::string changed(std::string_view what, std::string_view with) const {
    std::string out = text_.substr(0, text_.rfind("signature "));
    const std::size_t at = out.find(what);
    WATTLE_CHECK(at != std::string::npos);
    out.replace(at, what.size(), with);
    add_signature(out, kLabelDocument, key_);
    return out;
  }
  Errc refusal(const std::string& text) const { return parse(text).error().code; }

  crypto::PrivateKey key_ = test_key(211);
  NetworkDocument document_;
  std::string text_;
};

TEST_F(DocumentTest, RoundTrip) {
  const NetworkDocument back = WATTLE_MUST(parse(text_));
  EXPECT_EQ(back.network, document_.network);
  EXPECT_EQ(back.version, 7u);
  EXPECT_EQ(back.time, document_.time);
  EXPECT_EQ(back.ttl, 604800u);
  EXPECT_EQ(back.registries, document_.registries);
  EXPECT_EQ(back.mtu, 1400);
  EXPECT_EQ(back.min_protocol, 1);
  EXPECT_FALSE(back.broadcast);
  EXPECT_EQ(back.others, document_.others);
  EXPECT_EQ(back.reissue, document_.reissue);
  EXPECT_EQ(back.revoked, document_.revoked);
}

TEST_F(DocumentTest, TheEmptyOneToo) {
  NetworkDocument empty;
  empty.version = 1;
  const std::string text = build_network_document(empty, key_);
  const NetworkDocument back = WATTLE_MUST(parse_network_document(text, key_.public_key(), {}));
  EXPECT_TRUE(back.broadcast);
  EXPECT_TRUE(back.registries.empty() && back.others.empty() && back.revoked.empty());
}

TEST_F(DocumentTest, UnknownKeysOfANewerRegistryAreKept) {
  const NetworkDocument back = WATTLE_MUST(parse(changed("relay-count 3", "relay-count 4")));
  EXPECT_EQ(back.others[0], (std::pair<std::string, std::string>("relay-count", "4")));
}

TEST_F(DocumentTest, EveryCutAndEveryChangedByteIsRefused) {
  for (std::size_t size = 0; size < text_.size(); ++size)
    ASSERT_FALSE(parse(std::string_view(text_).substr(0, size))) << size;
  for (std::size_t at = 0; at < text_.size(); ++at) {
    std::string bad = text_;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    ASSERT_FALSE(parse(bad)) << at;
  }
  EXPECT_EQ(refusal(text_ + "x\n"), Errc::Trailing);
}

TEST_F(DocumentTest, KeyAndNetworkAreCompared) {
  NetworkId other = document_.network;
  other[15] ^= 1;
  EXPECT_EQ(parse_network_document(text_, key_.public_key(), other).error().code, Errc::Denied);
  EXPECT_EQ(parse_network_document(text_, test_key(9).public_key(), document_.network).error().code,
            Errc::BadSignature);
  std::string body = text_.substr(0, text_.rfind("signature "));
  add_signature(body, kLabelGenesis, key_);
  EXPECT_EQ(refusal(body), Errc::BadSignature);
}

TEST_F(DocumentTest, ValuesAreChecked) {
  EXPECT_EQ(refusal(changed("wattle-document 1", "wattle-document 2")), Errc::Unsupported);
  EXPECT_EQ(refusal(changed("version 7", "version 0")), Errc::BadValue);
  EXPECT_EQ(refusal(changed("version 7", "version seven")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("ttl 604800", "ttl 0")), Errc::BadValue);
  EXPECT_EQ(refusal(changed("mtu 1400", "mtu 575")), Errc::BadValue);
  EXPECT_EQ(refusal(changed("mtu 1400", "mtu 65536")), Errc::BadValue);
  EXPECT_EQ(refusal(changed("min-protocol 1", "min-protocol 65536")), Errc::BadValue);
  EXPECT_EQ(refusal(changed("broadcast no", "broadcast maybe")), Errc::BadValue);
}

TEST_F(DocumentTest, RevocationsRise) {
  EXPECT_EQ(refusal(changed("revoked 5", "revoked 9")), Errc::BadValue);
  EXPECT_EQ(refusal(changed("revoked 5", "revoked 10")), Errc::BadValue);
  EXPECT_EQ(refusal(changed("revoked 5", "revoked x")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("revoked 5 1769817600", "revoked 5")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("revoked 5 ", "revoked 5  ")), Errc::BadSyntax);
}

TEST_F(DocumentTest, SerialsToReissueRise) {
  EXPECT_EQ(refusal(changed("reissue 3", "reissue 17")), Errc::BadValue);
  EXPECT_EQ(refusal(changed("reissue 3", "reissue 18")), Errc::BadValue);
  EXPECT_EQ(refusal(changed("reissue 3", "reissue x")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("reissue 3", "reissue 03")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("reissue 17\n", "reissue 17\nnew 1\n")), Errc::BadSyntax);
  document_.reissue.clear();
  for (std::uint64_t i = 0; i < kMaxReissues; ++i) document_.reissue.push_back(i);
  EXPECT_TRUE(parse(build_network_document(document_, key_)));
  document_.reissue.push_back(kMaxReissues);
  EXPECT_EQ(refusal(build_network_document(document_, key_)), Errc::Full);
}

TEST_F(DocumentTest, OneFormAndOneOrder) {
  EXPECT_EQ(refusal(changed("version 7", "version 07")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("revoked 5", "revoked 05")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("mtu 1400\nmin-protocol 1\n", "min-protocol 1\nmtu 1400\n")),
            Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("relay-count 3", "mtu 1500")), Errc::BadSyntax);  // a known key again
  EXPECT_EQ(refusal(changed("mtu 1400\n", "mtu 1400\nnew 1\n")), Errc::BadSyntax);  // too early
  EXPECT_EQ(refusal(changed("revoked 9", "new 1\nrevoked 9")), Errc::BadSyntax);    // too late
  EXPECT_EQ(refusal(changed("revoked 9", "reissue 18\nrevoked 9")), Errc::BadSyntax);
  EXPECT_EQ(refusal(std::string(kMaxDocument + 1, 'x')), Errc::Full);
}

// After genesis's key_: one more document key, two credential keys, two CA certificates.
class DocumentKeysTest : public DocumentTest {
 protected:
  DocumentKeysTest() {
    document_.document_keys = {sign_document_key(document_.network, last_.public_key(), key_)};
    document_.credential_keys = {test_key(1).public_key(), test_key(2).public_key()};
    document_.ca_ders = {{1, 2, 3}, {4, 5}};
    text_ = build_network_document(document_, last_);
  }
  std::string changed(std::string_view what, std::string_view with) const {
    std::string out = text_.substr(0, text_.rfind("signature "));
    const std::size_t at = out.find(what);
    WATTLE_CHECK(at != std::string::npos);
    out.replace(at, what.size(), with);
    add_signature(out, kLabelDocument, last_);
    return out;
  }
  crypto::PrivateKey last_ = test_key(212);
};

TEST_F(DocumentKeysTest, RoundTrip) {
  const NetworkDocument back = WATTLE_MUST(parse(text_));
  EXPECT_EQ(back.document_keys, document_.document_keys);
  EXPECT_EQ(back.credential_keys, document_.credential_keys);
  EXPECT_EQ(back.ca_ders, document_.ca_ders);
  EXPECT_EQ(back.revoked, document_.revoked);
  EXPECT_EQ(back.others, document_.others);
}

TEST_F(DocumentKeysTest, EveryCutAndEveryChangedByteIsRefused) {
  for (std::size_t size = 0; size < text_.size(); ++size)
    ASSERT_FALSE(parse(std::string_view(text_).substr(0, size))) << size;
  for (std::size_t at = 0; at < text_.size(); ++at) {
    std::string bad = text_;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    ASSERT_FALSE(parse(bad)) << at;
  }
}

TEST_F(DocumentKeysTest, LinesAreChecked) {
  const std::string key = to_hex(last_.public_key());
  EXPECT_EQ(refusal(changed("document-key " + key, "document-key " + key.substr(2))),
            Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("document-key " + key, "document-key 05" + key.substr(2))),
            Errc::BadPoint);
  EXPECT_EQ(refusal(changed("document-key " + key + ' ', "document-key " + key)), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("document-key " + key + ' ', "document-key " + key + "  ")),
            Errc::BadSyntax);
  const std::string one = to_hex(test_key(1).public_key()), two = to_hex(test_key(2).public_key());
  EXPECT_EQ(refusal(changed(two, one)), Errc::BadValue);  // twice
  EXPECT_EQ(refusal(changed(two, two + "\ncredential-key " + one)), Errc::Full);
  EXPECT_EQ(refusal(changed(two, "00")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("ca BAU=", "ca AQID")), Errc::BadValue);
  EXPECT_EQ(refusal(changed("ca BAU=", "ca BAU=\nca BAUG")), Errc::Full);
  EXPECT_EQ(refusal(changed("ca BAU=", "ca !")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("ca BAU=", "ca BAU=\nx 1")), Errc::BadSyntax);  // too late
  EXPECT_EQ(refusal(changed("credential-key", "x 1\ncredential-key")), Errc::BadSyntax);
}

TEST_F(DocumentKeysTest, TheChainIsBounded) {
  document_.document_keys.clear();
  const NextDocumentKey same = sign_document_key(document_.network, key_.public_key(), key_);
  document_.document_keys.assign(kMaxDocumentKeys, same);
  EXPECT_TRUE(parse(build_network_document(document_, key_)));
  document_.document_keys.push_back(same);
  EXPECT_EQ(refusal(build_network_document(document_, key_)), Errc::Full);
}

TEST_F(DocumentTest, ErrorsNameTheLine) {
  EXPECT_EQ(parse(changed("mtu 1400", "mtu 1")).error().text(),
            "network document line 8: the number is too small");
}

}  // namespace
}  // namespace wattle
