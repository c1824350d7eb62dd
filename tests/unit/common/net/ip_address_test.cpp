#include "common/net/ip_address.h"

#include <gtest/gtest.h>

namespace wattle {
namespace {

IpAddress ip(std::string_view text) { return WATTLE_MUST(IpAddress::parse(text)); }
IpPrefix prefix(std::string_view text) { return WATTLE_MUST(IpPrefix::parse(text)); }

TEST(MacAddress, TextAndBack) {
  const MacAddress mac{{0x02, 0x00, 0x5e, 0x10, 0x00, 0x01}};
  EXPECT_EQ(mac.text(), "02:00:5e:10:00:01");
  EXPECT_EQ(*MacAddress::parse("02:00:5E:10:00:01"), mac);
  for (const std::string_view text :
       {"", "02:00:5e:10:00", "02:00:5e:10:00:1", "02-00-5e-10-00-01", "02:00:5e:10:00:0g",
        "02:00:5e:10:00:01 ", "0200:5e:10:00:001"})
    EXPECT_FALSE(MacAddress::parse(text)) << text;
}

TEST(MacAddress, MulticastAndBroadcast) {
  EXPECT_FALSE((MacAddress{{0x02, 0xff, 0xff, 0xff, 0xff, 0xff}}).is_multicast());
  EXPECT_TRUE((MacAddress{{0x01, 0, 0, 0, 0, 0}}).is_multicast());
  EXPECT_FALSE((MacAddress{{0x33, 0x33, 0, 0, 0, 1}}).is_broadcast());
  const MacAddress all{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
  EXPECT_TRUE(all.is_broadcast() && all.is_multicast());
}

TEST(IpAddress, TextAndBack) {
  for (const std::string_view text : {"0.0.0.0", "10.1.2.3", "255.255.255.255", "::", "::1",
                                      "fd00::1", "2001:db8:42:2::1", "::ffff:1.2.3.4"})
    EXPECT_EQ(ip(text).text(), text);
  EXPECT_EQ(ip("2001:DB8::1").text(), "2001:db8::1");
  EXPECT_EQ(ip("10.1.2.3"), IpAddress::v4({10, 1, 2, 3}));
}

TEST(IpAddress, RefusesOtherForms) {
  for (const std::string_view text :
       {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1.2.3.256", " 1.2.3.4", "1.2.3.4 ", "[::1]",
        "fe80::1%eth0", "::1::", "12345::", "0x7f.1", "localhost", "1:2:3:4:5:6:7:8:9"})
    EXPECT_EQ(IpAddress::parse(text).error().code, Errc::BadSyntax) << text;
  EXPECT_FALSE(IpAddress::parse(std::string_view("1.2.3.4\0x", 9)));
  EXPECT_FALSE(IpAddress::parse(std::string(200, '1')));
}

TEST(IpAddress, Kinds) {
  EXPECT_TRUE(ip("0.0.0.0").is_unspecified() && ip("::").is_unspecified());
  EXPECT_FALSE(ip("0.0.0.1").is_unspecified());
  EXPECT_TRUE(ip("127.9.9.9").is_loopback() && ip("::1").is_loopback());
  EXPECT_FALSE(ip("128.0.0.1").is_loopback() || ip("::2").is_loopback());
  EXPECT_TRUE(ip("224.0.0.1").is_multicast() && ip("239.1.1.1").is_multicast());
  EXPECT_TRUE(ip("ff02::1").is_multicast());
  EXPECT_FALSE(ip("240.0.0.1").is_multicast() || ip("223.0.0.1").is_multicast());
  EXPECT_FALSE(ip("fe02::1").is_multicast());
  EXPECT_TRUE(ip("169.254.1.1").is_link_local() && ip("fe80::1").is_link_local());
  EXPECT_TRUE(ip("febf::1").is_link_local());
  EXPECT_FALSE(ip("169.253.1.1").is_link_local() || ip("fec0::1").is_link_local());
}

TEST(IpAddress, PrivateRanges) {
  for (const std::string_view text :
       {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "100.64.0.0",
        "100.127.255.255", "fc00::", "fdff::"})
    EXPECT_TRUE(ip(text).is_private()) << text;
  for (const std::string_view text :
       {"9.255.255.255", "11.0.0.0", "172.15.0.0", "172.32.0.0", "192.167.0.0", "192.169.0.0",
        "100.63.0.0", "100.128.0.0", "fbff::", "fe00::"})
    EXPECT_FALSE(ip(text).is_private()) << text;
}

TEST(IpAddress, LinkLocalOfAMac) {
  // RFC 4291 appendix A's rule on the MAC of protocols.md 7.5.
  const MacAddress mac{{0x32, 0x27, 0x1e, 0xe0, 0x06, 0xa0}};
  EXPECT_EQ(IpAddress::link_local(mac).text(), "fe80::3027:1eff:fee0:6a0");
}

TEST(IpPrefix, ContainsComparesTheFirstBits) {
  EXPECT_TRUE(prefix("10.91.4.0/22").contains(ip("10.91.7.255")));
  EXPECT_FALSE(prefix("10.91.4.0/22").contains(ip("10.91.8.0")));
  EXPECT_FALSE(prefix("10.91.4.0/22").contains(ip("10.91.3.255")));
  EXPECT_TRUE(prefix("0.0.0.0/0").contains(ip("255.1.2.3")));
  EXPECT_FALSE(prefix("0.0.0.0/0").contains(ip("::1")));
  EXPECT_FALSE(prefix("::/0").contains(ip("1.2.3.4")));
  EXPECT_TRUE(prefix("10.0.0.1/32").contains(ip("10.0.0.1")));
  EXPECT_FALSE(prefix("10.0.0.1/32").contains(ip("10.0.0.0")));
  EXPECT_TRUE(prefix("2001:db8:42:2::/63").contains(ip("2001:db8:42:3::9")));
  EXPECT_FALSE(prefix("2001:db8:42:2::/64").contains(ip("2001:db8:42:3::9")));
}

TEST(IpPrefix, Overlaps) {
  EXPECT_TRUE(prefix("10.0.0.0/8").overlaps(prefix("10.1.0.0/16")));
  EXPECT_TRUE(prefix("10.1.0.0/16").overlaps(prefix("10.0.0.0/8")));
  EXPECT_FALSE(prefix("10.1.0.0/16").overlaps(prefix("10.2.0.0/16")));
  EXPECT_FALSE(prefix("::/0").overlaps(prefix("0.0.0.0/0")));
}

TEST(IpPrefix, NetworkClearsHostBits) {
  EXPECT_EQ(prefix("10.91.7.255/22").network(), prefix("10.91.4.0/22"));
  EXPECT_EQ(prefix("255.255.255.255/0").network(), prefix("0.0.0.0/0"));
  EXPECT_EQ(prefix("10.1.2.3/32").network(), prefix("10.1.2.3/32"));
  EXPECT_EQ(prefix("fd12:3456:789a:bcde::1/50").network().text(), "fd12:3456:789a:8000::/50");
}

TEST(IpPrefix, TextAndBack) {
  EXPECT_EQ(prefix("10.1.0.0/22").text(), "10.1.0.0/22");
  EXPECT_EQ(prefix("fd00::/128").text(), "fd00::/128");
  for (const std::string_view text : {"10.1.0.0", "10.1.0.0/", "10.1.0.0/33", "fd00::/129",
                                      "10.1.0.0/-1", "10.1.0.0/ 8", "/8", "x/8", "::/8/8"})
    EXPECT_FALSE(IpPrefix::parse(text)) << text;
}

}  // namespace
}  // namespace wattle
