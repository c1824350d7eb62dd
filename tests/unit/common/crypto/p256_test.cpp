#include "common/crypto/p256.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"
#include "tests/support/unhex.h"

namespace wattle::crypto {
namespace {

// RFC 5903 section 8.1
constexpr std::string_view kSecretA =
    "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433";
constexpr std::string_view kSecretB =
    "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53";
constexpr std::string_view kPublicA =
    "03dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180";
constexpr std::string_view kPublicB =
    "03d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63";
constexpr std::string_view kOrderText =
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

PrivateKey key(std::string_view scalar) {
  return WATTLE_MUST(PrivateKey::from_scalar(unhex(scalar)));
}

// number = order - number, on 32 big-endian bytes
void negate(MutableBytes number) {
  const Bytes order = unhex(kOrderText);
  int borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    const int difference = order[i] - number[i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    number[i] = static_cast<std::uint8_t>(difference & 0xff);
  }
}

TEST(P256, PublicKeysAndSharedPointOfRfc5903) {
  const PrivateKey a = key(kSecretA);
  const PrivateKey b = key(kSecretB);
  EXPECT_EQ(to_hex(a.public_key()), kPublicA);
  EXPECT_EQ(to_hex(b.public_key()), kPublicB);
  const std::string_view want = "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de";
  EXPECT_EQ(to_hex(WATTLE_MUST(a.dh(b.public_key())).view()), want);
  EXPECT_EQ(to_hex(WATTLE_MUST(b.dh(a.public_key())).view()), want);
  EXPECT_EQ(to_hex(a.scalar().view()), kSecretA);
}

TEST(P256, ScalarsAreInRange) {
  EXPECT_EQ(PrivateKey::from_scalar(Bytes(32)).error().code, Errc::BadValue);
  EXPECT_EQ(PrivateKey::from_scalar(unhex(kOrderText)).error().code, Errc::BadValue);
  EXPECT_EQ(PrivateKey::from_scalar(Bytes(32, 0xff)).error().code, Errc::BadValue);
  EXPECT_FALSE(PrivateKey::from_scalar(Bytes(31, 1)));
  EXPECT_FALSE(PrivateKey::from_scalar(Bytes(33, 1)));
  Bytes one(32);
  one[31] = 1;
  EXPECT_EQ(to_hex(WATTLE_MUST(PrivateKey::from_scalar(one)).public_key()),  // the base point
            "036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296");
  Bytes last = unhex(kOrderText);
  --last[31];
  EXPECT_TRUE(PrivateKey::from_scalar(last));
}

TEST(P256, RefusesEverythingButCompressedPoints) {
  const Bytes good = unhex(kPublicA);
  EXPECT_TRUE(is_point(good));
  const std::string_view uncompressed =
      "04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
      "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3";
  std::vector<Bytes> bad = {{},
                            {0},                  // infinity
                            Bytes(33),            // infinity, padded
                            unhex(uncompressed),  // the same key in another form
                            Bytes(32, 2),         // too short
                            Bytes(34, 2)};        // too long
  for (const int first : {0, 1, 4, 5, 6, 7, 0x82, 0xff}) {
    bad.push_back(good);
    bad.back()[0] = static_cast<std::uint8_t>(first);
  }
  Bytes off_curve(33);
  off_curve[0] = 2;
  off_curve[32] = 7;  // x = 7 is on no point of P-256 (the vectors' choice)
  bad.push_back(off_curve);
  Bytes above_p(33, 0xff);  // x >= p
  above_p[0] = 2;
  bad.push_back(above_p);
  const PrivateKey a = key(kSecretA);
  for (const Bytes& point : bad) {
    EXPECT_FALSE(is_point(point)) << to_hex(point);
    EXPECT_EQ(public_key_handle(point).error().code, Errc::BadPoint) << to_hex(point);
    EXPECT_EQ(a.dh(point).error().code, Errc::BadPoint) << to_hex(point);
    EXPECT_EQ(verify(point, Bytes{1}, a.sign(Bytes{1})), Verdict::BadPoint) << to_hex(point);
  }
}

TEST(P256, VerifiesRfc6979) {
  // A.2.5, SHA-256, message "sample", with s made low.
  const PrivateKey signer = key("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
  Signature signature = unhex_array<64>(
      "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
      "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8");
  EXPECT_EQ(verify(signer.public_key(), as_bytes("sample"), signature), Verdict::HighS);
  negate(MutableBytes(signature).last(32));
  EXPECT_EQ(verify(signer.public_key(), as_bytes("sample"), signature), Verdict::Good);
  EXPECT_EQ(verify(signer.public_key(), as_bytes("Sample"), signature), Verdict::Wrong);
}

TEST(P256, SignaturesAreLowAndVerify) {
  SeededRandom random(3);
  const PrivateKey signer = PrivateKey::generate();
  const PrivateKey other = PrivateKey::generate();
  for (int i = 0; i < 40; ++i) {  // the library's own s is high half of the time
    const Bytes message = random.bytes(random.below(100));
    const Signature signature = signer.sign(message);
    ASSERT_EQ(verify(signer.public_key(), message, signature), Verdict::Good);
    ASSERT_EQ(verify(other.public_key(), message, signature), Verdict::Wrong);
    Signature high = signature;
    negate(MutableBytes(high).last(32));
    ASSERT_EQ(verify(signer.public_key(), message, high), Verdict::HighS);
  }
}

TEST(P256, PartsOfAMessageAreHashedInOrder) {
  const PrivateKey signer = PrivateKey::generate();
  const Signature signature = signer.sign({as_bytes("label"), as_bytes("body")});
  EXPECT_EQ(verify(signer.public_key(), as_bytes("labelbody"), signature), Verdict::Good);
  EXPECT_EQ(verify(signer.public_key(), {as_bytes("body"), as_bytes("label")}, signature),
            Verdict::Wrong);
}

TEST(P256, OrderOfTheChecks) {
  const PrivateKey signer = PrivateKey::generate();
  const Signature good = signer.sign(Bytes{1});
  const Bytes bad_point(33);
  const auto with = [&](std::size_t at, ByteView number) {
    Signature out = good;
    std::copy(number.begin(), number.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
    return out;
  };
  const Bytes order = unhex(kOrderText);
  for (const std::size_t at : {0U, 32U})
    for (const Bytes& number : {Bytes(32), order, Bytes(32, 0xff)})
      EXPECT_EQ(verify(bad_point, Bytes{1}, with(at, number)), Verdict::OutOfRange);
  EXPECT_EQ(verify(bad_point, Bytes{1}, ByteView(good).first(63)), Verdict::OutOfRange);
  EXPECT_EQ(verify(bad_point, Bytes{1}, {}), Verdict::OutOfRange);
  Signature high = good;
  negate(MutableBytes(high).last(32));
  EXPECT_EQ(verify(bad_point, Bytes{1}, high), Verdict::HighS);
  EXPECT_EQ(verify(bad_point, Bytes{1}, good), Verdict::BadPoint);
  // The border itself: s = n / 2 is low, one more is high.
  const Bytes half = unhex("7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8");
  Bytes above = half;
  ++above[31];
  EXPECT_EQ(verify(signer.public_key(), Bytes{1}, with(32, half)), Verdict::Wrong);
  EXPECT_EQ(verify(signer.public_key(), Bytes{1}, with(32, above)), Verdict::HighS);
}

TEST(P256, PemAndBack) {
  const PrivateKey a = key(kSecretA);
  const std::string pem = a.to_pem();
  EXPECT_TRUE(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
  const PrivateKey again = WATTLE_MUST(PrivateKey::from_pem(pem));
  EXPECT_EQ(to_hex(again.scalar().view()), kSecretA);
  EXPECT_EQ(again.public_key(), a.public_key());
}

TEST(P256, PemOfOtherThingsIsRefused) {
  // openssl genpkey -algorithm ed25519; openssl genpkey -algorithm EC -pkeyopt
  // ec_paramgen_curve:P-384
  const std::string_view ed25519 =
      "-----BEGIN PRIVATE KEY-----\n"
      "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
      "-----END PRIVATE KEY-----\n";
  EXPECT_EQ(PrivateKey::from_pem(ed25519).error().code, Errc::BadValue);
  const std::string_view p384 = R"(-----BEGIN PRIVATE KEY-----
MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDDDIa4gVQtd7hJQq6Bj
lpCcgc+VQWiLZRow7q5Girin6z9Fk+xiJuseEtJyWBFw49qhZANiAASHeeLFJdX9
c6z4GvjrzJGSyRWJF6s5S/FJsMp4hlXLaY6cs9vHtGt2aQ87nEXWMQssQAGi6XKh
ev2n5W5ynyzt5P4OSlrw3EmVP6A05xLprDcy54I6W/n3PWqiRxT65RQ=
-----END PRIVATE KEY-----
)";
  EXPECT_EQ(PrivateKey::from_pem(p384).error().code, Errc::BadValue);
  EXPECT_EQ(PrivateKey::from_pem("").error().code, Errc::BadSyntax);
  EXPECT_EQ(PrivateKey::from_pem("rubbish").error().code, Errc::BadSyntax);
  EXPECT_EQ(PrivateKey::from_pem(std::string(70000, 'x')).error().code, Errc::Full);
  const std::string_view encrypted = R"(-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAjgc984nCC5OQICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEPiydgKU0XxhqjGOW2Z9T5EEgZDv
lawkSki4wkkJ/Gt8EHuwoqvCFWAQ+bR8qxd7o5Ow+EiCxzGqxYAbZeNDjeqoylMB
IU91/14sjfT/CL+IqYWSOTVrW7zoegbL51Mchw+9zdekY+YzK/ZniUGlzWLMlbA4
zO/OED0Qg8NwL4IMuqtnFRGgj/NNXi+lIv+ntOm/ygA8Aump1OnX49sQ/GzIdmI=
-----END ENCRYPTED PRIVATE KEY-----
)";  // passphrase: secret
  EXPECT_EQ(PrivateKey::from_pem(encrypted).error().code, Errc::BadSyntax);
}

TEST(P256, HandlesAreWholeKeys) {
  const PrivateKey a = PrivateKey::generate();
  const KeyHandle handle = WATTLE_MUST(public_key_handle(a.public_key()));
  EXPECT_NE(handle, nullptr);
  PrivateKey moved = PrivateKey::generate();
  const PublicKey before = moved.public_key();
  PrivateKey target(std::move(moved));
  EXPECT_EQ(target.public_key(), before);
  EXPECT_EQ(verify(before, Bytes{2}, target.sign(Bytes{2})), Verdict::Good);
}

}  // namespace
}  // namespace wattle::crypto
