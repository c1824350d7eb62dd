#include "common/proto/node_address.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "common/crypto/digest.h"
#include "tests/support/unhex.h"

namespace wattle {
namespace {

// protocols.md 7.4, keys of RFC 5903 section 8.1
struct Vector {
  std::string_view secret, address, text, digest, short_id;
  unsigned byte_sum;
};
constexpr Vector kVectors[] = {
    {"c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
     "0100000001000003dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180",
     "aeaaaaabaaaahwwqwzjziiq47gyfdyp6zjlypuey37tdp7eqxhxziximg5zfqema",
     "565224d10933266de5f841981d4aa61b", "b3aa654914798076", 4658},
    {"c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
     "0100000001000003d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63",
     "aeaaaaabaaaahujn7njitsgu7ajarnycoa4yynbcs2lquc6mw5ghg36hkvcjjp3d",
     "0b0fcb1d6dd233c0338eaa34c58d473c", "38816129a85f74fc", 3796}};

TEST(NodeAddress, Vectors) {
  for (const Vector& v : kVectors) {
    const crypto::PrivateKey key = WATTLE_MUST(crypto::PrivateKey::from_scalar(unhex(v.secret)));
    const NodeAddress address = NodeAddress::from_key(key.public_key());
    EXPECT_EQ(to_hex(address.bytes), v.address);
    EXPECT_EQ(address.text(), v.text);
    EXPECT_EQ(to_hex(crypto::aes_digest(address.bytes)), v.digest);
    EXPECT_EQ(to_hex(address.short_id()), v.short_id);
    EXPECT_EQ(address.zone(), 1u);
    EXPECT_TRUE(equal(address.public_key(), key.public_key()));
    EXPECT_EQ(std::accumulate(address.bytes.begin(), address.bytes.end(), 0u), v.byte_sum);
    NodeAddress back;
    ASSERT_EQ(parse_address(v.text, back), AddressFault::None);
    EXPECT_EQ(back, address);
    ASSERT_EQ(parse_address(ByteView(address.bytes), back), AddressFault::None);
    std::string upper(v.text);
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    EXPECT_EQ(WATTLE_MUST(parse_address_text(upper)), address);
  }
}

TEST(NodeAddress, EveryFaultHasItsName) {
  const Bytes good = unhex(kVectors[0].address);
  const auto fault = [&](std::size_t at, std::uint8_t value) {
    Bytes bad = good;
    bad[at] = value;
    NodeAddress out;
    return parse_address(ByteView(bad), out);
  };
  EXPECT_EQ(fault(0, 0), AddressFault::Type);
  EXPECT_EQ(fault(0, 2), AddressFault::Type);
  EXPECT_EQ(fault(5, 1), AddressFault::SpareBytes);
  EXPECT_EQ(fault(6, 1), AddressFault::SpareBytes);
  EXPECT_EQ(fault(7, 4), AddressFault::Point);
  EXPECT_EQ(fault(7, 0), AddressFault::Point);
  EXPECT_EQ(fault(4, 7), AddressFault::None);  // another zone
  NodeAddress out;
  EXPECT_EQ(parse_address(ByteView(good).first(39), out), AddressFault::Length);
  EXPECT_EQ(parse_address(ByteView{}, out), AddressFault::Length);
  std::string text(kVectors[0].text);
  EXPECT_EQ(parse_address(std::string_view(text).substr(1), out), AddressFault::Length);
  text[10] = '1';
  EXPECT_EQ(parse_address(text, out), AddressFault::Text);
  std::set<std::string_view> phrases;
  for (int i = 0; i <= static_cast<int>(AddressFault::Text); ++i)
    EXPECT_TRUE(phrases.insert(phrase(static_cast<AddressFault>(i))).second);
}

TEST(NodeAddress, ResultsCarryTheFault) {
  std::string text(kVectors[0].text);
  EXPECT_EQ(parse_address_text("abc").error().code, Errc::BadSyntax);
  text[63] = '0';
  EXPECT_EQ(parse_address_text(text).error().code, Errc::BadSyntax);
  Bytes bytes = unhex(kVectors[0].address);
  bytes[0] = 3;
  EXPECT_EQ(parse_address_text(to_base32(bytes)).error().text(), "unknown address type");
  bytes[0] = 1;
  bytes[7] = 5;
  EXPECT_EQ(parse_address_text(to_base32(bytes)).error().code, Errc::BadPoint);
}

TEST(NodeAddress, MacIsLocalUnicastAndOfTheNetwork) {
  const NodeAddress address = WATTLE_MUST(parse_address_text(kVectors[0].text));
  const NetworkId one{1};
  const NetworkId two{2};
  const MacAddress mac = mac_of(one, address);
  EXPECT_EQ(mac.bytes[0] & 3, 2);
  EXPECT_NE(mac, mac_of(two, address));
  Bytes input = to_bytes(as_bytes(std::string_view("wattle/ether\0", 13)));
  input.insert(input.end(), one.begin(), one.end());
  input.insert(input.end(), address.bytes.begin(), address.bytes.end());
  const crypto::Hash hash = crypto::sha256(input);
  EXPECT_EQ(mac.bytes[0] & 0xfc, hash[0] & 0xfc);
  EXPECT_TRUE(equal(ByteView(mac.bytes).subspan(1), ByteView(hash).subspan(1, 5)));
}

}  // namespace
}  // namespace wattle
