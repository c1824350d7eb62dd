#include "common/crypto/aead.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>

#include <atomic>
#include <cstdlib>

#include "common/crypto/aead_ipsec_mb.h"
#include "tests/support/seeded_random.h"
#include "tests/support/unhex.h"

namespace wattle::crypto {
namespace {

// OpenSSL's allocations are counted from before its first call on (it takes new functions only
// then).
std::atomic<std::size_t> allocations = 0;
const bool counting = CRYPTO_set_mem_functions(
                          [](std::size_t size, const char*, int) {
                            ++allocations;
                            return std::malloc(size);
                          },
                          [](void* old, std::size_t size, const char*, int) {
                            ++allocations;
                            return std::realloc(old, size);
                          },
                          [](void* old, const char*, int) { std::free(old); }) == 1;

// Each of the libraries of this build and machine.
struct AeadOf : ::testing::TestWithParam<const AeadLibrary*> {
  static Aead make(ByteView key, Aead::Use use) { return {key, use, *GetParam()}; }
  static Bytes sealed(ByteView key, std::uint64_t counter, ByteView associated, ByteView plain) {
    Bytes out(plain.size() + kTagSize);
    make(key, Aead::Use::Seal).seal(counter, associated, plain, out);
    return out;
  }
};

std::vector<const AeadLibrary*> libraries() {
  std::vector<const AeadLibrary*> out{&kOpenSslAead};
  if (const AeadLibrary* const other = ipsec_mb_aead()) out.push_back(other);
  return out;
}
INSTANTIATE_TEST_SUITE_P(Libraries, AeadOf, ::testing::ValuesIn(libraries()), [](const auto& one) {
  return one.param == &kOpenSslAead ? "openssl" : "ipsec_mb";
});

TEST_P(AeadOf, KnownAnswers) {
  // GCM specification (McGrew, Viega), test cases 13 and 14: key, nonce and text of zeros.
  const Bytes key(32);
  EXPECT_EQ(to_hex(sealed(key, 0, {}, {})), "530f8afbc74536b9a963b4f1c4cb738b");
  EXPECT_EQ(to_hex(sealed(key, 0, {}, Bytes(16))),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
}

TEST_P(AeadOf, TheNonceIsFourZerosAndTheCounter) {
  // The key stream of counter n begins with AES(key, 00000000 || n || 00000002).
  const Bytes key = unhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
  const Bytes one = sealed(key, 0x0102030405060708, {}, Bytes(16));
  const Bytes two = sealed(key, 0x0102030405060709, {}, Bytes(16));
  EXPECT_NE(one, two);
  EXPECT_EQ(one, sealed(key, 0x0102030405060708, {}, Bytes(16)));
  // Computed with python3-cryptography: AESGCM(key).encrypt(4 zeros || 0102030405060708, 16 zeros).
  EXPECT_EQ(to_hex(one), "82fa7650650dec6ae5b4e02f092deecc2f2ad4c708cae863bfcb8e2811daa792");
}

TEST_P(AeadOf, OpensWhatItSealedInPlace) {
  SeededRandom random(2);
  const Bytes key = random.bytes(32);
  Aead seal = make(key, Aead::Use::Seal);
  Aead open = make(key, Aead::Use::Open);
  for (std::size_t size = 0; size < 300; ++size) {
    const Bytes plain = random.bytes(size);
    const Bytes associated = random.bytes(random.below(40));
    Bytes buffer = plain;
    buffer.resize(size + kTagSize);
    seal.seal(size, associated, ByteView(buffer).first(size), buffer);
    EXPECT_EQ(buffer, sealed(key, size, associated, plain));
    ASSERT_TRUE(open.open(size, associated, buffer, MutableBytes(buffer).first(size)));
    EXPECT_TRUE(equal(plain, ByteView(buffer).first(size)));
  }
}

TEST_P(AeadOf, AnyChangeIsNoticedAndTheTextWiped) {
  const Bytes key(32, 7);
  const Bytes associated = {1, 2, 3};
  const Bytes plain(20, 0x55);
  const Bytes good = sealed(key, 9, associated, plain);
  Aead open = make(key, Aead::Use::Open);
  Bytes out(plain.size());
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    Bytes bad = good;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    std::fill(out.begin(), out.end(), std::uint8_t{0xee});
    ASSERT_FALSE(open.open(9, associated, bad, out)) << bit;
    ASSERT_EQ(out, Bytes(out.size()));
  }
  EXPECT_FALSE(open.open(8, associated, good, out));
  EXPECT_FALSE(open.open(9, Bytes{1, 2, 4}, good, out));
  EXPECT_FALSE(open.open(9, {}, good, out));
  EXPECT_FALSE(open.open(9, associated, ByteView(good).first(15), {}));
  EXPECT_FALSE(open.open(9, associated, {}, {}));
  EXPECT_TRUE(open.open(9, associated, good, out));  // and none of it broke the key
  EXPECT_EQ(out, plain);
}

TEST_P(AeadOf, MovesAndKeepsItsKey) {
  const Bytes key(32, 3);
  Aead first = make(key, Aead::Use::Seal);
  Aead second(std::move(first));
  Bytes out(kTagSize);
  second.seal(1, {}, {}, out);
  EXPECT_EQ(out, sealed(key, 1, {}, {}));
}

TEST_P(AeadOf, APacketAllocatesNothing) {
  ASSERT_TRUE(counting);
  const Bytes key(32, 1);
  Aead seal = make(key, Aead::Use::Seal);
  Aead open = make(key, Aead::Use::Open);
  const Bytes plain(1400, 1);
  const Bytes associated(31, 2);
  Bytes out(plain.size() + kTagSize);
  Bytes back(plain.size());
  const auto packet = [&](std::uint64_t counter) {
    seal.seal(counter, associated, plain, out);
    return open.open(counter, associated, out, back);
  };
  ASSERT_TRUE(packet(0));
  const std::size_t before = allocations;
  ASSERT_GT(before, 0u);
  for (std::uint64_t counter = 1; counter < 100; ++counter) ASSERT_TRUE(packet(counter));
  out[0] ^= 1;
  EXPECT_FALSE(open.open(99, associated, out, back));
  EXPECT_EQ(allocations, before);
}

TEST_P(AeadOf, IsRight) { EXPECT_TRUE(is_right(*GetParam())); }

// ---- libraries that are not right ---------------------------------------------------------------

struct Wrong final : AeadKey {
  enum class How { BadTag, BelievesAll, WrongText };
  static inline How how = How::BadTag;
  Wrong(ByteView key32, AeadUse use) : true_(kOpenSslAead.make(key32, use)) {}
  void seal(const ByteArray<12>& nonce, ByteView associated, ByteView plain,
            MutableBytes out) override {
    true_->seal(nonce, associated, plain, out);
    if (how == How::BadTag && plain.size() == 61) out.back() ^= 1;
  }
  bool open(const ByteArray<12>& nonce, ByteView associated, ByteView text,
            MutableBytes out) override {
    const bool good = true_->open(nonce, associated, text, out);
    if (how == How::WrongText && out.size() > 100) out[100] ^= 1;
    return good || how == How::BelievesAll;
  }
  std::unique_ptr<AeadKey> true_;
};
constexpr AeadLibrary kWrong{"wrong", [](ByteView key32, AeadUse use) {
                               return std::unique_ptr<AeadKey>(std::make_unique<Wrong>(key32, use));
                             }};

TEST(AeadLibraries, AWrongOneIsFoundOut) {
  for (const auto how : {Wrong::How::BadTag, Wrong::How::BelievesAll, Wrong::How::WrongText}) {
    Wrong::how = how;
    EXPECT_FALSE(is_right(kWrong)) << static_cast<int>(how);
  }
}

}  // namespace
}  // namespace wattle::crypto
