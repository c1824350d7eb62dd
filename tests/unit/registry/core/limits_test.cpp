#include <gtest/gtest.h>

#include "registry/core/client_limits.h"
#include "registry/core/journal_entry.h"
#include "registry/core/route_table.h"
#include "tests/support/seeded_random.h"

namespace wattle::registry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

TEST(client_limits, failed_joins_run_out_and_come_back) {
  ClientLimits limits;
  Instant now{seconds(1)};
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(limits.may_join(ip("192.0.2.1"), now)) << i;
    limits.join_failed(ip("192.0.2.1"), now);
  }
  EXPECT_FALSE(limits.may_join(ip("192.0.2.1"), now));
  EXPECT_TRUE(limits.may_join(ip("192.0.2.2"), now));
  now += seconds(12);
  EXPECT_TRUE(limits.may_join(ip("192.0.2.1"), now));
}

TEST(client_limits, good_joins_cost_nothing) {
  ClientLimits limits;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(limits.may_join(ip("192.0.2.1"), Instant{}));
}

TEST(client_limits, requests_run_out) {
  ClientLimits limits;
  int admitted = 0;
  while (admitted < 1000 && limits.admit(ip("192.0.2.1"), Instant{})) ++admitted;
  EXPECT_EQ(admitted, 240);
  EXPECT_TRUE(limits.admit(ip("192.0.2.1"), Instant{milliseconds(500)}));
}

TEST(client_limits, an_ipv6_client_is_its_64) {
  EXPECT_EQ(client_of(ip("2001:db8::1")), client_of(ip("2001:db8::ffff:1")));
  EXPECT_NE(client_of(ip("2001:db8::1")), client_of(ip("2001:db8:0:1::1")));
  EXPECT_NE(client_of(ip("192.0.2.1")), client_of(ip("192.0.2.2")));
}

TEST(client_limits, forgets_the_one_seen_longest_ago) {
  ClientLimits limits;
  const auto nth = [](std::uint32_t i) {
    return IpAddress::v4({10, static_cast<std::uint8_t>(i >> 16), static_cast<std::uint8_t>(i >> 8),
                          static_cast<std::uint8_t>(i)});
  };
  for (int i = 0; i < 20; ++i) limits.join_failed(nth(0), Instant{});
  for (int i = 0; i < 20; ++i) limits.join_failed(nth(1), Instant{});
  for (std::uint32_t i = 2; i < ClientLimits::kMaxClients; ++i) limits.admit(nth(i), Instant{});
  EXPECT_FALSE(limits.may_join(nth(0), Instant{}));  // seen again
  limits.admit(nth(99999), Instant{});
  EXPECT_EQ(limits.size(), ClientLimits::kMaxClients);
  EXPECT_FALSE(limits.may_join(nth(0), Instant{}));
  EXPECT_TRUE(limits.may_join(nth(1), Instant{}));  // forgotten
}

TEST(renewal_limits, five_at_once_then_one_a_minute_for_each_member) {
  RenewalLimits limits;
  NodeAddress alice, bob;
  bob.bytes[0] = 1;
  const Instant start{};
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limits.admit(alice, kLifetime, start));
  EXPECT_FALSE(limits.admit(alice, kLifetime, start));
  EXPECT_TRUE(limits.admit(bob, kLifetime, start));
  EXPECT_FALSE(limits.admit(alice, kLifetime, start + std::chrono::seconds(59)));
  EXPECT_TRUE(limits.admit(alice, kLifetime, start + std::chrono::seconds(60)));
  EXPECT_FALSE(limits.admit(alice, kLifetime, start + std::chrono::seconds(60)));
}

// A certificate of a minute is renewed every 40 seconds, for ever.
TEST(renewal_limits, short_lives_may_renew_more_often) {
  RenewalLimits limits;
  Instant now{};
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(limits.admit(NodeAddress{}, 60, now)) << i;
    now += std::chrono::seconds(40);
  }
}

TEST(renewal_limits, forgets_whom_it_saw_longest_ago) {
  RenewalLimits limits;
  NodeAddress first;
  for (int i = 0; i < 6; ++i) limits.admit(first, kLifetime, Instant{});
  for (std::size_t i = 1; i < RenewalLimits::kMaxMembers; ++i) {
    NodeAddress other;
    other.bytes[1] = static_cast<std::uint8_t>(i >> 8);
    other.bytes[2] = static_cast<std::uint8_t>(i);
    limits.admit(other, kLifetime, Instant{});
  }
  EXPECT_FALSE(limits.admit(first, kLifetime, Instant{}));
  for (std::size_t i = 0; i < RenewalLimits::kMaxMembers; ++i) {
    NodeAddress other;
    other.bytes[0] = 9;
    other.bytes[1] = static_cast<std::uint8_t>(i >> 8);
    other.bytes[2] = static_cast<std::uint8_t>(i);
    limits.admit(other, kLifetime, Instant{});
  }
  EXPECT_TRUE(limits.admit(first, kLifetime, Instant{}));
}

constexpr const char* kRoutes =
    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    "eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
    "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
    "wg0\t0000000A\t00000000\t0001\t0\t0\t0\t0000F0FF\t0\t0\t0\n"
    "nonsense\n";

TEST(route_table, reads_what_the_kernel_shows) {
  const auto routes = route_destinations(kRoutes);
  ASSERT_EQ(routes.size(), 2u);
  EXPECT_EQ(routes[0].text(), "192.168.0.0/16");
  EXPECT_EQ(routes[1].text(), "10.0.0.0/12");
  EXPECT_EQ(default_route_device(kRoutes), "eth0");
  EXPECT_EQ(default_route_device(""), "");
}

TEST(route_table, chooses_a_block_that_clashes_with_none) {
  SeededRandom random(4);
  const IpPrefix tenth = IpPrefix::parse("10.0.0.0/8").value();
  // All of 10/8 but its last eighth.
  std::vector<IpPrefix> taken{IpPrefix::parse("10.0.0.0/9").value(),
                              IpPrefix::parse("10.128.0.0/10").value(),
                              IpPrefix::parse("10.192.0.0/11").value()};
  for (int i = 0; i < 200; ++i) {
    const auto block = random_ipv4_block(random, taken);
    ASSERT_TRUE(block);
    EXPECT_EQ(block->length, 22);
    EXPECT_EQ(block->network(), *block);
    EXPECT_TRUE(tenth.contains(block->address));
    for (const IpPrefix& t : taken) EXPECT_FALSE(t.overlaps(*block));
  }
  EXPECT_EQ(random_ipv4_block(random, {tenth}).error().code, Errc::Full);
}

TEST(route_table, makes_a_unique_local_prefix) {
  SeededRandom random(1);
  const IpPrefix one = random_ula(random);
  EXPECT_EQ(one.length, 48);
  EXPECT_EQ(one.address.bytes[0], 0xfd);
  EXPECT_EQ(one.network(), one);
  EXPECT_NE(one, random_ula(random));
}

}  // namespace
}  // namespace wattle::registry
