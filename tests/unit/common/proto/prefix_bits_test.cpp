// re6st's own numbers (protocols.md 2.2 and 7.6).
#include "common/proto/prefix_bits.h"

#include <gtest/gtest.h>

#include "tests/support/test_ca.h"

namespace wattle {
namespace {

TEST(PrefixBits, CommonNames) {
  EXPECT_EQ(*bits_of_cn("1/3"), "001");
  EXPECT_EQ(*bits_of_cn("2/16"), "0000000000000010");
  EXPECT_EQ(*bits_of_cn("0/1"), "0");
  EXPECT_EQ(*bits_of_cn("340282366920938463463374607431768211455/128"), std::string(128, '1'));
  for (const std::string_view cn : {"2/16", "1/3", "0/1", "65535/16", "18446744073709551616/80",
                                    "340282366920938463463374607431768211455/128"})
    EXPECT_EQ(cn_of_bits(WATTLE_MUST(bits_of_cn(cn))), cn);
  for (const std::string_view cn :
       {"", "2", "/16", "2/", "8/3", "2/0", "0/0", "2/129", "02/16", "2/016", "-2/16", "2 /16",
        "2/16/16", "x/16", "340282366920938463463374607431768211456/128",
        "3402823669209384634633746074317682114550/128"})
    EXPECT_FALSE(bits_of_cn(cn)) << cn;
}

TEST(PrefixBits, NetworkAndMember) {
  const IpPrefix network = test_prefix("2001:db8:42::/48");
  EXPECT_EQ(bits_of(network), "001000000000000100001101101110000000000001000010");
  EXPECT_EQ(ca_serial_hex(network), "120010db80042");
  const IpPrefix member = member_prefix(network, WATTLE_MUST(bits_of_cn("2/16")));
  EXPECT_EQ(member.text(), "2001:db8:42:2::/64");
  EXPECT_EQ(*member_bits(network, member), "0000000000000010");
  EXPECT_EQ(member_prefix(network, "1").text(), "2001:db8:42:8000::/49");
  EXPECT_EQ(member_prefix(network, "").text(), "2001:db8:42::/48");
}

TEST(PrefixBits, SerialsOfOddLengths) {
  EXPECT_EQ(ca_serial_hex(test_prefix("::/0")), "1");
  EXPECT_EQ(ca_serial_hex(test_prefix("8000::/1")), "3");
  EXPECT_EQ(ca_serial_hex(test_prefix("fd00::/7")), "fe");
  EXPECT_EQ(ca_serial_hex(test_prefix("fd00::/8")), "1fd");
  EXPECT_EQ(ca_serial_hex(test_prefix("::/128")), '1' + std::string(32, '0'));
}

TEST(PrefixBits, OutsideIsNotFound) {
  const IpPrefix network = test_prefix("2001:db8:42::/48");
  for (const std::string_view text :
       {"2001:db8:43::/64", "2001:db8::/32", "2001:db8:42::/48", "10.0.0.0/24"})
    EXPECT_EQ(member_bits(network, test_prefix(text)).error().code, Errc::NotFound) << text;
}

}  // namespace
}  // namespace wattle
