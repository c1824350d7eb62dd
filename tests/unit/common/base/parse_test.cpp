#include "common/base/parse.h"

#include <gtest/gtest.h>

namespace wattle {
namespace {

TEST(Decimal, TakesDigitsOnly) {
  EXPECT_EQ(*parse_decimal("0"), 0u);
  EXPECT_EQ(*parse_decimal("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(*parse_decimal("007"), 7u);
  for (const std::string_view text : {"", " 1", "1 ", "+1", "-1", "0x1", "1.", "1e3", "one", "1\n",
                                      "18446744073709551616", "99999999999999999999999"})
    EXPECT_EQ(parse_decimal(text).error().code, Errc::BadSyntax) << text;
}

TEST(Decimal, KeepsTheBound) {
  EXPECT_EQ(*parse_decimal("65535", 65535), 65535u);
  EXPECT_EQ(parse_decimal("65536", 65535).error().code, Errc::BadValue);
}

TEST(HexNumber, TakesHexDigitsOnly) {
  EXPECT_EQ(*parse_hex_number("a329e18c"), 0xa329e18cu);
  EXPECT_EQ(*parse_hex_number("FF"), 255u);
  for (const std::string_view text : {"", "0x10", "g", "-1", "10000000000000000"})
    EXPECT_EQ(parse_hex_number(text).error().code, Errc::BadSyntax) << text;
  EXPECT_EQ(parse_hex_number("100", 0xff).error().code, Errc::BadValue);
}

TEST(Seconds, KnowsTheUnits) {
  EXPECT_EQ(*parse_seconds("90"), 90u);
  EXPECT_EQ(*parse_seconds("90s"), 90u);
  EXPECT_EQ(*parse_seconds("15m"), 900u);
  EXPECT_EQ(*parse_seconds("24h"), 86400u);
  EXPECT_EQ(*parse_seconds("30d"), 2592000u);
  for (const std::string_view text :
       {"", "s", "m", "1w", "1M", "1.5h", "-1s", "1 h", "99999999999d"})
    EXPECT_FALSE(parse_seconds(text)) << text;
}

TEST(Trim, TakesBlanksAndTabsFromBothEnds) {
  EXPECT_EQ(trim(" \t a b \t"), "a b");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim("x\n"), "x\n");
}

TEST(Split, KeepsEmptyPieces) {
  using Pieces = std::vector<std::string_view>;
  EXPECT_EQ(split("a,,b", ','), (Pieces{"a", "", "b"}));
  EXPECT_EQ(split("", ','), (Pieces{""}));
  EXPECT_EQ(split(",", ','), (Pieces{"", ""}));
}

TEST(Names, KeepTheirAlphabetAndLength) {
  EXPECT_TRUE(is_network_name("home"));
  EXPECT_TRUE(is_network_name("123456789012"));
  for (const std::string_view text :
       {"", "1234567890123", "Home", "ho me", "a-b", "a_b", "a/b", "\xc3\xa4"})
    EXPECT_FALSE(is_network_name(text)) << text;
  EXPECT_TRUE(is_node_name("alice-2"));
  EXPECT_TRUE(is_node_name(std::string(63, 'a')));
  for (const std::string_view text : {"", "Alice", "a.b", "a b", "a_b", "a\n"})
    EXPECT_FALSE(is_node_name(text)) << text;
  EXPECT_FALSE(is_node_name(std::string(64, 'a')));
}

}  // namespace
}  // namespace wattle
