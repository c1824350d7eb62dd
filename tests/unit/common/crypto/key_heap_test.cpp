// A program of its own: the key heap must be opened before anything uses OpenSSL, and each case
// needs one that nobody has opened yet.
#include "common/crypto/key_heap.h"

#include <gtest/gtest.h>
#include <openssl/crypto.h>
#include <vector>

#include "common/crypto/aead.h"
#include "common/crypto/init.h"
#include "common/crypto/p256.h"
#include "tests/unit/common/os/child.h"

namespace wattle {
namespace {

using crypto::Aead;
using crypto::PrivateKey;
using test::in_child;

constexpr int kGood = 7;

bool seals_and_opens() {
  const ByteArray<32> key{1, 2, 3};
  const ByteArray<5> text{'h', 'e', 'l', 'l', 'o'};
  ByteArray<5 + crypto::kTagSize> sealed{};
  ByteArray<5> opened{};
  Aead(key, Aead::Use::Seal).seal(1, {}, text, sealed);
  return Aead(key, Aead::Use::Open).open(1, {}, sealed, opened) && opened == text;
}

TEST(KeyHeap, WithoutItEverythingWorksOnTheOrdinaryHeap) {
  EXPECT_EQ(in_child([] {
              crypto::init();
              return seals_and_opens() && CRYPTO_secure_malloc_initialized() == 0 ? kGood : 1;
            }).code,
            kGood);
}

TEST(KeyHeap, HoldsPrivateKeysAndSessionsWhileTheyLive) {
  EXPECT_EQ(in_child([] {
              crypto::open_key_heap();
              crypto::init();
              const std::size_t before = CRYPTO_secure_used();
              {
                const PrivateKey key = PrivateKey::generate();
                const std::size_t with_key = CRYPTO_secure_used();
                if (with_key <= before) return 1;
                const Aead session(ByteArray<32>{}, Aead::Use::Seal);
                if (CRYPTO_secure_used() <= with_key + 240) return 2;  // a key schedule at least
              }
              if (CRYPTO_secure_used() != before) return 3;
              return seals_and_opens() ? kGood : 4;
            }).code,
            kGood);
}

TEST(KeyHeap, SessionsLeaveRoomForPrivateKeysAndGoOnElsewhere) {
  EXPECT_EQ(in_child([] {
              crypto::open_key_heap(64 * 1024);
              crypto::init();
              std::vector<Aead> sessions;
              for (int i = 0; i < 500; ++i) sessions.emplace_back(ByteArray<32>{}, Aead::Use::Seal);
              if (CRYPTO_secure_used() > 48 * 1024) return 1;
              const PrivateKey key = PrivateKey::generate();
              const Bytes text{1, 2, 3};
              if (crypto::verify(key.public_key(), text, key.sign(text)) != crypto::Verdict::Good)
                return 2;
              return seals_and_opens() ? kGood : 3;
            }).code,
            kGood);
}

TEST(KeyHeap, IsEmptyInAChildProcess) {
  EXPECT_EQ(in_child([] {
              crypto::open_key_heap();
              auto* block = static_cast<std::uint8_t*>(OPENSSL_secure_malloc(64));
              if (CRYPTO_secure_allocated(block) != 1) return 1;
              std::fill_n(block, 64, std::uint8_t{0x5a});
              const auto seen = in_child([block] { return static_cast<int>(block[0]); });
              return seen.exited && seen.code == 0 && block[0] == 0x5a ? kGood : 2;
            }).code,
            kGood);
}

}  // namespace
}  // namespace wattle
