#include "common/proto/genesis.h"

#include <gtest/gtest.h>

#include "common/base/hex.h"
#include "common/proto/document_text.h"
#include "common/proto/labels.h"
#include "tests/support/test_ca.h"

namespace wattle {
namespace {

class GenesisTest : public testing::Test {
 protected:
  GenesisTest() {
    genesis_.network = "home";
    genesis_.prefix = ca_.six;
    genesis_.ipv4 = ca_.four;
    genesis_.created = kTestStart;
    genesis_.ca_der = ca_.der;
    genesis_.credential_key = test_key(210).public_key();
    genesis_.document_key = document_key_.public_key();
    genesis_.https_key = crypto::spki_hash(test_key(212));
    text_ = build_genesis(genesis_, document_key_);
  }

  // The text with `what` replaced once and signed again, so that only the change itself can be
  // refused.
  std::string changed(std::string_view what, std::string_view with) const {
    std::string out = text_.substr(0, text_.rfind("signature "));
    const std::size_t at = out.find(what);
    WATTLE_CHECK(at != std::string::npos);
    out.replace(at, what.size(), with);
    add_signature(out, kLabelGenesis, document_key_);
    return out;
  }
  static Errc refusal(const std::string& text) { return parse_genesis(text).error().code; }

  TestCa ca_;
  crypto::PrivateKey document_key_ = test_key(211);
  Genesis genesis_;
  std::string text_;
};

TEST_F(GenesisTest, RoundTrip) {
  const Genesis back = WATTLE_MUST(parse_genesis(text_));
  EXPECT_EQ(back.network, genesis_.network);
  EXPECT_EQ(back.prefix, genesis_.prefix);
  EXPECT_EQ(back.ipv4, genesis_.ipv4);
  EXPECT_EQ(back.created, genesis_.created);
  EXPECT_EQ(back.ca_der, genesis_.ca_der);
  EXPECT_EQ(back.credential_key, genesis_.credential_key);
  EXPECT_EQ(back.document_key, genesis_.document_key);
  EXPECT_EQ(back.https_key, genesis_.https_key);
}

TEST_F(GenesisTest, LooksAsItsHeaderSays) {
  EXPECT_TRUE(
      text_.starts_with("wattle-genesis 1\nnetwork home\nprefix 2001:db8:42::/48\n"
                        "ipv4 10.91.4.0/22\ncreated 1767225600\nca "));
  EXPECT_TRUE(parse_genesis(changed("home", "away")));  // changed() itself works
}

TEST_F(GenesisTest, EveryCutAndEveryChangedByteIsRefused) {
  for (std::size_t size = 0; size < text_.size(); ++size)
    ASSERT_FALSE(parse_genesis(std::string_view(text_).substr(0, size))) << size;
  for (std::size_t at = 0; at < text_.size(); ++at) {
    std::string bad = text_;
    bad[at] = static_cast<char>(bad[at] ^ 1);
    ASSERT_FALSE(parse_genesis(bad)) << at;
  }
  EXPECT_EQ(refusal(text_ + "x\n"), Errc::Trailing);
  EXPECT_EQ(refusal(text_ + " "), Errc::Trailing);
}

TEST_F(GenesisTest, OneFormOnly) {
  EXPECT_EQ(refusal(changed("created 1", "created 01")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("2001:db8", "2001:0db8")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("2001:db8", "2001:DB8")), Errc::BadSyntax);
  const std::string key = to_hex(genesis_.credential_key);
  std::string upper = key;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  EXPECT_EQ(refusal(changed(key, upper)), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("home\n", "home\r\n")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("network home", "network  home")), Errc::BadValue);
}

TEST_F(GenesisTest, ValuesAreChecked) {
  EXPECT_EQ(refusal(changed("wattle-genesis 1", "wattle-genesis 2")), Errc::Unsupported);
  EXPECT_EQ(refusal(changed("network home", "network Home")), Errc::BadValue);
  EXPECT_EQ(refusal(changed("2001:db8:42::/48", "2001:db8:42::/46")), Errc::BadValue);
  EXPECT_EQ(refusal(changed("2001:db8:42::/48", "2001:db8:42::/129")), Errc::BadValue);
  EXPECT_EQ(refusal(changed("2001:db8:42::/48", "2001:db8:42::1/48")), Errc::BadValue);
  EXPECT_EQ(refusal(changed("2001:db8:42::/48", "10.0.0.0/8")), Errc::BadValue);
  EXPECT_EQ(refusal(changed("10.91.4.0/22", "fd00::/8")), Errc::BadValue);
  EXPECT_EQ(refusal(changed("10.91.4.0/22", "10.91.4.0")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("created 1767225600", "created soon")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("ca ", "ca !")), Errc::BadSyntax);
  const std::string key = to_hex(genesis_.credential_key);
  EXPECT_EQ(refusal(changed(key, "04" + key.substr(2))), Errc::BadPoint);
  EXPECT_EQ(refusal(changed(key, key + "00")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("https-key ", "https-key 00")), Errc::BadSyntax);
}

TEST_F(GenesisTest, LinesAreChecked) {
  EXPECT_EQ(refusal(changed("network home\n", "")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("network home\n", "network home\nnetwork home\n")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("network home\n", "network home\nextra 1\n")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("network home\n", "network\n")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("network home\n", "network \n")), Errc::BadSyntax);
  EXPECT_EQ(refusal(changed("network home\n", "\n")), Errc::BadSyntax);
  EXPECT_EQ(refusal(std::string(kMaxDocument + 1, 'x')), Errc::Full);
}

TEST_F(GenesisTest, SignedByItsOwnDocumentKeyOnly) {
  std::string body = text_.substr(0, text_.rfind("signature "));
  std::string other_key = body;
  add_signature(other_key, kLabelGenesis, test_key(9));
  EXPECT_EQ(refusal(other_key), Errc::BadSignature);
  std::string other_label = body;
  add_signature(other_label, kLabelDocument, document_key_);
  EXPECT_EQ(refusal(other_label), Errc::BadSignature);
}

TEST_F(GenesisTest, ErrorsNameTheLine) {
  EXPECT_EQ(parse_genesis(changed("network home", "network Home")).error().text(),
            "genesis line 2: not a network's name");
  EXPECT_EQ(parse_genesis(changed("https-key ", "https-key 00")).error().text(),
            "genesis line 9: wrong number of hexadecimal digits");
  EXPECT_EQ(parse_genesis("").error().text(), "genesis line 1: the line is missing or cut off");
}

TEST_F(GenesisTest, NetworkIdIsHalfOfTheHashOfAllBytes) {
  const crypto::Hash hash = genesis_hash(text_);
  EXPECT_EQ(hash, crypto::sha256(as_bytes(text_)));
  EXPECT_TRUE(equal(network_id(hash), ByteView(hash).first(16)));
}

}  // namespace
}  // namespace wattle
