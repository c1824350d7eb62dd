#include "common/base/secret.h"

#include <gtest/gtest.h>

#include <new>
#include <type_traits>

namespace wattle {
namespace {

static_assert(!std::is_copy_constructible_v<Secret<32>>);
static_assert(!std::is_copy_assignable_v<Secret<32>>);

ByteArray<4> bytes(std::uint8_t first) { return {first, 2, 3, 4}; }

TEST(Secret, MovingWipesTheSource) {
  Secret<4> a(bytes(1));
  const ByteView inside = a.view();
  Secret<4> b(std::move(a));
  EXPECT_TRUE(equal(b.view(), bytes(1)));
  EXPECT_TRUE(equal(inside, ByteArray<4>{}));
  const ByteView inside_b = b.view();
  Secret<4> c;
  c = std::move(b);
  EXPECT_TRUE(equal(c.view(), bytes(1)));
  EXPECT_TRUE(equal(inside_b, ByteArray<4>{}));
}

TEST(Secret, DestructionWipes) {
  alignas(Secret<4>) ByteArray<sizeof(Secret<4>)> place{};
  auto* secret = new (place.data()) Secret<4>(bytes(9));
  // Through volatile: the compiler may not assume anything about memory whose object has ended.
  const volatile std::uint8_t* memory = place.data();
  ASSERT_EQ(memory[0], 9);
  secret->~Secret<4>();
  for (std::size_t i = 0; i < place.size(); ++i) EXPECT_EQ(memory[i], 0);
}

TEST(Secret, CloneIsASecondOne) {
  const Secret<4> a(bytes(5));
  const Secret<4> b = a.clone();
  EXPECT_TRUE(secret_equal(a.view(), b.view()));
}

TEST(SecretEqual, SeesEveryByteAndTheLength) {
  const ByteArray<4> a = bytes(1);
  for (std::size_t i = 0; i < a.size(); ++i) {
    ByteArray<4> b = a;
    b[i] ^= 0x80;
    EXPECT_FALSE(secret_equal(a, b)) << i;
  }
  EXPECT_TRUE(secret_equal(a, bytes(1)));
  EXPECT_FALSE(secret_equal(a, ByteView(a).first(3)));
  EXPECT_TRUE(secret_equal({}, {}));
}

}  // namespace
}  // namespace wattle
