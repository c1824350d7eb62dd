#include "registry/core/prefix_pool.h"

#include <gtest/gtest.h>

#include "common/proto/prefix_bits.h"
#include "registry/core/roster.h"

namespace wattle::registry {
namespace {

// protocols.md 2.3.
TEST(prefix_pool, allocates_as_re6st_does) {
  PrefixPool pool(80);
  const std::pair<std::size_t, const char*> vectors[] = {{16, "0/16"}, {13, "1/13"}, {16, "1/16"},
                                                         {12, "1/12"}, {16, "2/16"}, {16, "3/16"},
                                                         {20, "64/20"}};
  for (const auto& [wanted, cn] : vectors) EXPECT_EQ(cn_of_bits(pool.take(wanted).value()), cn);
}

TEST(prefix_pool, marks_what_a_journal_says_and_goes_on_alike) {
  PrefixPool taken(80);
  for (const std::size_t wanted : {16, 13, 16, 12}) ASSERT_TRUE(taken.take(wanted));
  PrefixPool marked(80);
  for (const char* cn : {"1/12", "0/16", "1/13", "1/16"})  // in any order
    ASSERT_TRUE(marked.mark(bits_of_cn(cn).value())) << cn;
  EXPECT_EQ(marked.free_leaves(), taken.free_leaves());
  EXPECT_EQ(cn_of_bits(marked.propose(16).value()), "2/16");
}

TEST(prefix_pool, refuses_overlaps_both_ways) {
  PrefixPool pool(80);
  ASSERT_TRUE(pool.mark("0101"));
  for (const char* bits : {"0101", "01", "", "01011"}) {
    EXPECT_FALSE(pool.is_free(bits)) << bits;
    EXPECT_FALSE(pool.mark(bits)) << bits;
  }
  EXPECT_TRUE(pool.is_free("0100"));
  EXPECT_TRUE(pool.mark("011"));
}

TEST(prefix_pool, never_hands_out_the_anycast_address) {
  PrefixPool pool(3);
  EXPECT_EQ(pool.take(3).value(), "001");
  EXPECT_EQ(pool.take(3).value(), "010");
  for (const char* bits : {"011", "100", "101", "110", "111"})
    EXPECT_EQ(pool.take(3).value(), bits);
  EXPECT_FALSE(pool.take(3));
  PrefixPool shorter(3);
  EXPECT_EQ(shorter.take(2).value(), "00");  // its member's address ends in 1
}

TEST(prefix_pool, is_full_when_nothing_fits) {
  PrefixPool pool(80);
  ASSERT_TRUE(pool.take(1));
  ASSERT_TRUE(pool.take(2));
  EXPECT_EQ(pool.take(1).error().code, Errc::Full);
  EXPECT_TRUE(pool.take(2));
  EXPECT_EQ(pool.take(80).error().code, Errc::Full);
  EXPECT_EQ(pool.take(81).error().code, Errc::BadValue);
}

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

TEST(ipv4_pool, gives_the_lowest_free_host) {
  const IpPrefix block = IpPrefix::parse("10.1.2.0/29").value();
  std::set<IpAddress> used;
  for (const char* expected :
       {"10.1.2.1", "10.1.2.2", "10.1.2.3", "10.1.2.4", "10.1.2.5", "10.1.2.6"}) {
    const auto next = lowest_free_ipv4(block, used);
    ASSERT_TRUE(next);
    EXPECT_EQ(next->text(), expected);
    used.insert(*next);
  }
  EXPECT_EQ(lowest_free_ipv4(block, used).error().code, Errc::Full);
  used.erase(ip("10.1.2.3"));
  EXPECT_EQ(lowest_free_ipv4(block, used)->text(), "10.1.2.3");
}

TEST(ipv4_pool, knows_hosts) {
  const IpPrefix block = IpPrefix::parse("10.1.4.0/22").value();
  EXPECT_TRUE(is_host_of(block, ip("10.1.4.1")));
  EXPECT_TRUE(is_host_of(block, ip("10.1.5.0")));  // inside the block it is an ordinary host
  EXPECT_TRUE(is_host_of(block, ip("10.1.7.254")));
  for (const char* wrong : {"10.1.4.0", "10.1.7.255", "10.1.3.255", "10.1.8.0", "fd00::1"})
    EXPECT_FALSE(is_host_of(block, ip(wrong))) << wrong;
}

TEST(roster, proposes_both_and_says_what_ran_out) {
  Roster roster(IpPrefix::parse("fd12:3456:789a::/48").value(),
                IpPrefix::parse("10.1.2.0/30").value());
  auto proposal = roster.propose(16);
  ASSERT_TRUE(proposal);
  EXPECT_EQ(proposal->prefix6.text(), "fd12:3456:789a::/64");
  EXPECT_EQ(proposal->ipv4.text(), "10.1.2.1");
  ASSERT_TRUE(roster.add(proposal->prefix6, proposal->ipv4));
  EXPECT_FALSE(roster.add(proposal->prefix6, proposal->ipv4));
  proposal = roster.propose(16);
  ASSERT_TRUE(proposal);
  EXPECT_EQ(proposal->prefix6.text(), "fd12:3456:789a:1::/64");
  ASSERT_TRUE(roster.add(proposal->prefix6, proposal->ipv4));
  EXPECT_NE(roster.propose(16).error().text().find("IPv4"), std::string::npos);
}

}  // namespace
}  // namespace wattle::registry
