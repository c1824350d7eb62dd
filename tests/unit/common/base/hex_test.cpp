#include "common/base/hex.h"

#include <gtest/gtest.h>

#include "tests/support/seeded_random.h"

namespace wattle {
namespace {

Errc refusal(const Result<Bytes>& result) { return result.error().code; }

TEST(Hex, WritesLowerCaseAndReadsBoth) {
  const Bytes bytes = {0x00, 0x7f, 0xab, 0xff};
  EXPECT_EQ(to_hex(bytes), "007fabff");
  EXPECT_EQ(*parse_hex("007fabff"), bytes);
  EXPECT_EQ(*parse_hex("007FABff"), bytes);
  EXPECT_EQ(*parse_hex(""), Bytes{});
}

TEST(Hex, RefusesOddLengthsAndOtherCharacters) {
  for (const std::string_view text : {"0", "abc", "0g", "g0", "0x10", " 00", "00 ", "-1", "0:"})
    EXPECT_EQ(refusal(parse_hex(text)), Errc::BadSyntax) << text;
}

TEST(Base64, Rfc4648Vectors) {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(plain)), coded);
    EXPECT_EQ(as_text(*parse_base64(coded)), plain);
  }
}

TEST(Base64, RefusesWhatIsNotTheOneForm) {
  for (const std::string_view text :
       {"Zg", "Zg=", "Zg===", "=", "==", "====", "Z===", "Zh==", "Zm9=", "Zm 8=", "Zm8=\n",
        "Z-==", "Z_==", "Zg==Zg==", "Zm8=Zm9v"})
    EXPECT_EQ(refusal(parse_base64(text)), Errc::BadSyntax) << text;
}

TEST(Base32, AnodeVectorInBothCases) {
  const Bytes bytes = {0x61, 0x73, 0x64, 0x66, 0x00};  // protocols.md 7.3
  EXPECT_EQ(to_base32(bytes), "mfzwizqa");
  EXPECT_EQ(*parse_base32("mfzwizqa"), bytes);
  EXPECT_EQ(*parse_base32("MFZWIZQA"), bytes);
}

TEST(Base32, RefusesWhatIsNotTheOneForm) {
  // Padding, digits outside the alphabet, a digit too many, and left-over bits that are not zero.
  for (const std::string_view text : {"mfzwizq=", "mfzwizq0", "mfzwizq1", "mfzwizq8", "mfzwizq9",
                                      "a", "mfz", "mfzwiz", "ab", "mf zwizqa", "mfzwizqa\n"})
    EXPECT_EQ(refusal(parse_base32(text)), Errc::BadSyntax) << text;
  EXPECT_TRUE(parse_base32("aa"));
}

TEST(Encodings, RoundTripAllLengths) {
  SeededRandom random(1);
  for (std::size_t size = 0; size < 200; ++size) {
    const Bytes bytes = random.bytes(size);
    EXPECT_EQ(*parse_hex(to_hex(bytes)), bytes);
    EXPECT_EQ(*parse_base64(to_base64(bytes)), bytes);
    EXPECT_EQ(*parse_base32(to_base32(bytes)), bytes);
    EXPECT_EQ(to_base32(bytes).size(), (size * 8 + 4) / 5);
    EXPECT_EQ(to_base64(bytes).size(), (size + 2) / 3 * 4);
  }
}

}  // namespace
}  // namespace wattle
