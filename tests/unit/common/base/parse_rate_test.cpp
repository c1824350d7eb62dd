#include "common/base/parse_rate.h"

#include <gtest/gtest.h>

namespace wattle {
namespace {

TEST(ParseRate, TakesPlainNumbersAndDecimalUnits) {
  EXPECT_EQ(parse_rate("1").value(), 1u);
  EXPECT_EQ(parse_rate("800000").value(), 800'000u);
  EXPECT_EQ(parse_rate("500k").value(), 500'000u);
  EXPECT_EQ(parse_rate("20M").value(), 20'000'000u);
  EXPECT_EQ(parse_rate("1000G").value(), kLongestRate);
}

TEST(ParseRate, RefusesTheRest) {
  for (const char* text : {"", "0", "0k", "k", "1K", "1m", "-1", "+1", " 1", "1 M", "1.5M", "1001G",
                           "1000000000001", "99999999999999999999", "20MB", "yes"})
    EXPECT_FALSE(parse_rate(text)) << text;
}

TEST(ParseRelay, YesNoOrARate) {
  EXPECT_EQ(parse_relay("yes").value(), kRelayYes);
  EXPECT_EQ(parse_relay("no").value(), 0u);
  EXPECT_EQ(parse_relay("500k").value(), 500'000u);
  const auto bad = parse_relay("0");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Errc::Config);
  EXPECT_NE(bad.error().text().find("'0'"), std::string::npos);
  for (const char* text : {"", "Yes", "NO", "true", "fast"})
    EXPECT_FALSE(parse_relay(text)) << text;
}

}  // namespace
}  // namespace wattle
