// Values that a codec must refuse although their bytes are all there.
#include "common/ipc/field_codec.h"

#include <gtest/gtest.h>

#include "common/ipc/key_link.h"

namespace wattle::ipc {
namespace {

template <typename T>
bool decodes(const Bytes& bytes) {
  Reader in(bytes);
  T value{};
  return Codec<T>::decode(in, value) && in.finish();
}

TEST(FieldCodec, BoolIsZeroOrOne) {
  EXPECT_TRUE(decodes<bool>({0}));
  EXPECT_TRUE(decodes<bool>({1}));
  EXPECT_FALSE(decodes<bool>({2}));
  EXPECT_FALSE(decodes<bool>({255}));
}

TEST(FieldCodec, EnumsEndWhereTheyEnd) {
  EXPECT_TRUE(decodes<key_link::Refusal>({3}));
  EXPECT_FALSE(decodes<key_link::Refusal>({4}));
}

TEST(FieldCodec, AddressFamilyIsFourOrSix) {
  EXPECT_TRUE(decodes<IpAddress>({4, 1, 2, 3, 4}));
  EXPECT_FALSE(decodes<IpAddress>({5, 1, 2, 3, 4}));
  EXPECT_FALSE(decodes<IpAddress>({0}));
}

TEST(FieldCodec, PrefixLengthKeepsToItsFamily) {
  EXPECT_TRUE(decodes<IpPrefix>({4, 1, 2, 3, 4, 32}));
  EXPECT_FALSE(decodes<IpPrefix>({4, 1, 2, 3, 4, 33}));
  Bytes six(18, 0);
  six[0] = 6;
  six[17] = 128;
  EXPECT_TRUE(decodes<IpPrefix>(six));
  six[17] = 129;
  EXPECT_FALSE(decodes<IpPrefix>(six));
}

TEST(FieldCodec, CountsAreComparedWithWhatIsLeft) {
  EXPECT_TRUE(decodes<std::string>({0, 0, 0, 1, 'x'}));
  EXPECT_FALSE(decodes<std::string>({0, 0, 0, 2, 'x'}));
  EXPECT_FALSE(decodes<Bytes>({0xff, 0xff, 0xff, 0xff, 'x'}));
  EXPECT_FALSE(decodes<std::vector<std::uint64_t>>({0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}));
  EXPECT_FALSE(decodes<std::vector<std::uint64_t>>({0, 0, 0, 1, 0, 0, 0, 0}));
  EXPECT_TRUE(decodes<std::vector<std::uint16_t>>({0, 0, 0, 2, 0, 1, 0, 2}));
}

}  // namespace
}  // namespace wattle::ipc
