// Published answers: protocols.md 7.1-7.3, RFC 4231, RFC 5869, NIST SP 800-38B.
#include "common/crypto/digest.h"

#include <gtest/gtest.h>

#include "tests/support/unhex.h"

namespace wattle::crypto {
namespace {

TEST(Sha256, PartsAreOneMessage) {
  const std::string_view want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))), want);
  EXPECT_EQ(to_hex(sha256({as_bytes("a"), {}, as_bytes("bc")})), want);
  EXPECT_EQ(to_hex(sha256(ByteView{})),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(HmacSha256, Rfc4231) {
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(20, 0x0b), as_bytes("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"),
                               {as_bytes("what do ya want "), as_bytes("for nothing?")})),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(Bytes(131, 0xaa), as_bytes("Test Using Larger Than Block-Size Key - "
                                                          "Hash Key First"))),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(HmacSha256, KeysDoNotLinger) {
  const Hash first = hmac_sha256(as_bytes("one"), as_bytes("x"));
  const Hash second = hmac_sha256(as_bytes("two"), as_bytes("x"));
  EXPECT_NE(first, second);
  EXPECT_EQ(hmac_sha256(as_bytes("one"), as_bytes("x")), first);
  EXPECT_EQ(to_hex(hmac_sha256(ByteView{}, ByteView{})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Hkdf, Rfc5869) {
  Bytes out(42);
  hkdf_sha256(unhex("000102030405060708090a0b0c"), Bytes(22, 0x0b), unhex("f0f1f2f3f4f5f6f7f8f9"),
              out);
  EXPECT_EQ(to_hex(out),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  hkdf_sha256({}, Bytes(22, 0x0b), {}, out);  // no salt, no info
  EXPECT_EQ(to_hex(out),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(AesCmac, Sp800_38b) {
  const Bytes key = unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
  const Bytes text = unhex(
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
      "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
  const std::pair<std::size_t, std::string_view> vectors[] = {
      {0, "028962f61b7bf89efc6b551f4667d983"},
      {16, "28a7023f452e8f82bd4bf28d8c37c35c"},
      {40, "aaf3d8f1de5640c232f5b169b9c911e6"},
      {64, "e1992190549f6ed5696a2c056c315410"}};
  for (const auto& [size, want] : vectors)
    EXPECT_EQ(to_hex(aes_cmac(key, ByteView(text).first(size))), want) << size;
}

TEST(AesCmac,
     PingPacketOfAnode) {  // protocols.md 7.4: from byte 1 on, the MAC field holds the size
  const Bytes key = unhex("d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de");
  Bytes packet = unhex(
      "0001c363863f10ce05330100000001000003dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c37"
      "7258118038816129a85f74fc100170696e67");
  ASSERT_EQ(packet.size(), 64u);
  const Bytes mac(packet.begin() + 2, packet.begin() + 10);
  std::fill(packet.begin() + 2, packet.begin() + 10, std::uint8_t{0});
  packet[9] = 64;
  const ByteArray<16> cmac = aes_cmac(key, ByteView(packet).subspan(1));
  EXPECT_EQ(to_hex(cmac), "b4aaf4ede39b880f77c972d2f3558d3c");
  Bytes folded(8);
  for (std::size_t i = 0; i < 8; ++i) folded[i] = static_cast<std::uint8_t>(cmac[i] ^ cmac[i + 8]);
  EXPECT_EQ(folded, mac);
}

TEST(AesDigest, AllVectors) {
  const std::pair<std::string, std::string_view> vectors[] = {
      {"", "1e8272261de2ab294cb3b35b9a06c852"},
      {"test", "754fde1267fbcac5a64c8732def880e2"},
      {"12345678", "976513e9b1d1548dfc36ae3e821cfdd6"},
      {"supercalifragilisticexpealidocious", "45f150e5693ce4d8d523fdf0198bdf18"},
      {std::string(1, 'a'), "62a7005ddcb7f5ddd40a7f9ae4ce1c61"},
      {std::string(16, 'a'), "0270f16e6ba35c86f175a744d95938de"},
      {std::string(17, 'a'), "7dc005ef7dfc779b75555720980fcd24"},
      {std::string(31, 'a'), "ac4692e0e9879f14f22a42391cebfe7f"},
      {std::string(32, 'a'), "a64dedee7ca3a2bd668e9da7eba910ad"},
      {std::string(64, 'a'), "754b4c87e0ec57b496d9b6d421618a2a"},
      {std::string(65, 'a'), "0a9963afb0748557cebc67ba19e2d8d9"},
      {std::string(255, 'a'), "5b65fefcfec28f74b205bf06b725988c"}};
  for (const auto& [message, want] : vectors)
    EXPECT_EQ(to_hex(aes_digest(as_bytes(message))), want) << message.size();
}

TEST(XorDerive, Vectors) {
  Bytes secret(32);
  for (std::size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(xor_derive(secret, 16), Bytes(16, 0x10));
  EXPECT_EQ(xor_derive(secret, 32), secret);
  Bytes longer = secret;
  longer.insert(longer.end(), secret.begin(), secret.begin() + 16);
  EXPECT_EQ(xor_derive(secret, 48), longer);
  EXPECT_EQ(xor_derive(secret, 0), Bytes{});
}

}  // namespace
}  // namespace wattle::crypto
