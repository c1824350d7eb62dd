#include "common/proto/credential.h"

#include <gtest/gtest.h>

#include "common/crypto/digest.h"
#include "common/proto/packet_key.h"
#include "tests/support/test_member.h"

namespace wattle {
namespace {

IpAddress ip(std::string_view text) { return WATTLE_MUST(IpAddress::parse(text)); }

TEST(Credential, RoundTrip) {
  TestMember m;
  m.credential.flags = kFlagRelay | kFlagRouter;
  m.credential.ipv4 = test_prefix("10.91.5.0/24");
  m.credential.subnets_hash[3] = 9;
  const Credential back = WATTLE_MUST(decode_credential(m.cred()));
  EXPECT_EQ(back.flags, m.credential.flags);
  EXPECT_EQ(back.network, m.credential.network);
  EXPECT_EQ(back.address, m.credential.address);
  EXPECT_EQ(back.serial, m.credential.serial);
  EXPECT_EQ(back.not_before, m.credential.not_before);
  EXPECT_EQ(back.not_after, m.credential.not_after);
  EXPECT_EQ(back.mac, m.credential.mac);
  EXPECT_EQ(back.ipv4, m.credential.ipv4);
  EXPECT_EQ(back.ipv6, m.credential.ipv6);
  EXPECT_EQ(back.name_hash, m.credential.name_hash);
  EXPECT_EQ(back.subnets_hash, m.credential.subnets_hash);
}

TEST(Credential, LengthAndConstants) {
  const TestMember m;
  const CredentialBytes good = m.cred();
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(decode_credential(ByteView(good).first(size)).error().code, Errc::Truncated);
  Bytes longer = to_bytes(good);
  longer.push_back(0);
  EXPECT_EQ(decode_credential(longer).error().code, Errc::Trailing);
  // Offsets of magic, suite, the spare fields, and values just above the allowed ones.
  const std::pair<std::size_t, std::uint8_t> changes[] = {
      {0, 'X'}, {3, '2'}, {4, 0},  {4, 2},   {5, 64},  {5, 128}, {6, 129}, {7, 33},
      {7, 31},  {94, 1},  {95, 1}, {100, 1}, {101, 1}, {102, 1}, {103, 1}};
  for (const auto& [at, value] : changes) {
    CredentialBytes bad = good;
    bad[at] = value;
    EXPECT_EQ(decode_credential(bad).error().code, Errc::BadValue) << at;
  }
  CredentialBytes router = good;
  router[5] = kFlagRouter;
  router[7] = 31;
  EXPECT_TRUE(decode_credential(router));
}

TEST(PacketKey, LengthAndConstants) {
  const TestMember m;
  const PacketKeyBytes good = m.pkr();
  ASSERT_TRUE(decode_packet_key(good));
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_EQ(decode_packet_key(ByteView(good).first(size)).error().code, Errc::Truncated);
  Bytes longer = to_bytes(good);
  longer.push_back(0);
  EXPECT_EQ(decode_packet_key(longer).error().code, Errc::Trailing);
  for (const unsigned at : {0U, 3U, 4U, 5U, 6U, 7U, 121U, 122U, 123U, 124U, 125U, 126U, 127U}) {
    PacketKeyBytes bad = good;
    bad[at] ^= 1;
    EXPECT_EQ(decode_packet_key(bad).error().code, Errc::BadValue) << at;
  }
}

TEST(PacketKey, RoundTrip) {
  const TestMember m;
  const PacketKeyRecord back = WATTLE_MUST(decode_packet_key(m.pkr()));
  EXPECT_EQ(back.network, m.record.network);
  EXPECT_EQ(back.owner, m.record.owner);
  EXPECT_EQ(back.epoch, m.record.epoch);
  EXPECT_EQ(back.not_before, m.record.not_before);
  EXPECT_EQ(back.not_after, m.record.not_after);
  EXPECT_EQ(back.key, m.record.key);
  EXPECT_EQ(back.serial, m.record.serial);
}

TEST(Credential, OwnAddress) {
  Credential c;
  c.ipv6 = test_prefix("2001:db8:42:2::/64");
  EXPECT_EQ(c.address6(), ip("2001:db8:42:2::1"));  // protocols.md 7.6
  c.ipv6 = test_prefix("2001:db8:42:2::/127");
  EXPECT_EQ(c.address6(), ip("2001:db8:42:2::1"));
  c.ipv6 = test_prefix("2001:db8:42:2::8/128");
  EXPECT_EQ(c.address6(), ip("2001:db8:42:2::8"));
}

TEST(Credential, OwnsItsAddressesOnly) {
  const TestMember m;
  const Credential& c = m.credential;
  EXPECT_TRUE(c.owns(ip("10.91.4.1")));
  EXPECT_TRUE(c.owns(ip("2001:db8:42:2::1")));
  EXPECT_TRUE(c.owns(ip("2001:db8:42:2:ffff::")));
  EXPECT_TRUE(c.owns(IpAddress::link_local(c.mac)));
  EXPECT_FALSE(c.owns(ip("10.91.4.2")));
  EXPECT_FALSE(c.owns(ip("2001:db8:42:3::1")));
  EXPECT_FALSE(c.owns(ip("fe80::1")));
  EXPECT_FALSE(c.owns(ip("::")));
  EXPECT_FALSE(c.owns(ip("0.0.0.0")));
}

TEST(Credential, NameHashHasItsLabel) {
  const auto hash = crypto::sha256(as_bytes(std::string_view("wattle/name\0alice", 17)));
  EXPECT_EQ(name_hash("alice"), to_array<16>(hash));
  EXPECT_NE(name_hash("alice"), name_hash("bob"));
}

}  // namespace
}  // namespace wattle
