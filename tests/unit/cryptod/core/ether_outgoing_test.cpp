// What becomes of our own kernel's frames, and the answers it gets, byte by byte.
#include <gtest/gtest.h>

#include "common/base/hex.h"
#include "cryptod/core/ether_guard.h"
#include "tests/support/ether_frames.h"

namespace wattle::cryptod {
namespace {

using namespace tests;  // NOLINT
using Kind = Outgoing::Kind;

const MacAddress kUs = mac(1);
constexpr const char* kUs6 = "fd00:1:0:1::1";
constexpr const char* kPeer6 = "fd00:1:0:2::1";

Outgoing judge(const Bytes& frame) { return judge_outgoing(frame, member(1)); }
EtherDrop why(const Bytes& frame) {
  const Outgoing out = judge(frame);
  EXPECT_EQ(out.kind == Kind::Drop, out.drop != EtherDrop::None);
  return out.drop;
}

TEST(EtherOutgoing, UnicastAndGroups) {
  const Bytes ping = ipv4("10.1.0.1", "10.1.0.2", 1, icmp(8));
  Outgoing out = judge(ether(mac(2), kUs, 0x0800, ping));
  EXPECT_EQ(out.kind, Kind::Unicast);
  EXPECT_EQ(out.destination, mac(2));
  out = judge(ether(kEveryone, kUs, 0x0800, ping));
  EXPECT_EQ(out.kind, Kind::Multicast);
  EXPECT_EQ(out.destination, kEveryone);
  EXPECT_EQ(judge(ether(kAllNodes, kUs, 0x0800, ping)).kind, Kind::Multicast);
}

TEST(EtherOutgoing, DropsWhatReceiversWould) {
  const Bytes ping = ipv4("10.1.0.1", "10.1.0.2", 1, icmp(8));
  EXPECT_EQ(why(ether(mac(2), mac(9), 0x0800, ping)), EtherDrop::SourceMac);
  EXPECT_EQ(why(ether(kUs, kUs, 0x0800, ping)), EtherDrop::Destination);
  EXPECT_EQ(why(ether(mac(2), kUs, 0x88cc, ping)), EtherDrop::EtherType);
  EXPECT_EQ(why(ether(mac(2), kUs, 0x8100, ping)), EtherDrop::Vlan);
  EXPECT_EQ(why(Bytes(13)), EtherDrop::Short);
  EXPECT_EQ(why(ether(mac(2), kUs, 0x0800, ipv4("192.0.2.1", "10.1.0.2", 1, icmp(8)))),
            EtherDrop::SourceIp);
  EXPECT_EQ(why(ether(kAllNodes, kUs, 0x86dd, ipv6(kUs6, "ff02::2", 58, icmp(133, 8)))),
            EtherDrop::RouterMessage);
}

TEST(EtherOutgoing, ArpRequestIsAQuestion) {
  for (const MacAddress& to : {kEveryone, mac(2)}) {
    const Outgoing out = judge(ether(to, kUs, 0x0806, arp(1, kUs, "10.1.0.1", "10.1.0.2", to)));
    EXPECT_EQ(out.kind, Kind::Resolve);
    EXPECT_EQ(out.query, (EtherQuery{ip("10.1.0.2"), ip("10.1.0.1"), kUs}));
  }
  EXPECT_EQ(judge(ether(mac(2), kUs, 0x0806, arp(2, kUs, "10.1.0.1", "10.1.0.2", mac(2)))).kind,
            Kind::Unicast);
}

TEST(EtherOutgoing, ArpProbesPassAnnouncementsDoNot) {
  const auto broadcast = [](const Bytes& payload) {
    return ether(kEveryone, kUs, 0x0806, payload);
  };
  EXPECT_EQ(judge(broadcast(arp(1, kUs, "0.0.0.0", "10.1.0.1"))).kind, Kind::Multicast);
  EXPECT_EQ(why(broadcast(arp(1, kUs, "0.0.0.0", "10.1.0.2"))), EtherDrop::ArpSenderIp);
  EXPECT_EQ(why(broadcast(arp(1, kUs, "10.1.0.1", "10.1.0.1"))), EtherDrop::ArpAnnouncement);
  EXPECT_EQ(why(broadcast(arp(2, kUs, "10.1.0.1", "10.1.0.1"))), EtherDrop::ArpAnnouncement);
  EXPECT_EQ(why(broadcast(arp(1, mac(9), "10.1.0.1", "10.1.0.2"))), EtherDrop::ArpSenderMac);
}

TEST(EtherOutgoing, SolicitationIsAQuestion) {
  const MacAddress group{{0x33, 0x33, 0xff, 0, 0, 1}};
  const Bytes ns = neighbour(135, kPeer6, link_option(1, kUs));
  for (const auto& [to, address] :
       {std::pair(group, "ff02::1:ff00:1"), std::pair(mac(2), kPeer6)}) {
    const Outgoing out = judge(ether(to, kUs, 0x86dd, ipv6(kUs6, address, 58, ns)));
    EXPECT_EQ(out.kind, Kind::Resolve);
    EXPECT_EQ(out.query, (EtherQuery{ip(kPeer6), ip(kUs6), kUs}));
  }
  const Outgoing local =
      judge(ether(group, kUs, 0x86dd,
                  ipv6("fe80::11:22ff:fe33:4401", "ff02::1:ff33:4402", 58,
                       neighbour(135, "fe80::11:22ff:fe33:4402", link_option(1, kUs)))));
  EXPECT_EQ(local.kind, Kind::Resolve);
  EXPECT_EQ(local.query.target, ip("fe80::11:22ff:fe33:4402"));
}

TEST(EtherOutgoing, ProbesAndMldPassAsGroups) {
  const MacAddress group{{0x33, 0x33, 0xff, 0, 0, 1}};
  EXPECT_EQ(
      judge(ether(group, kUs, 0x86dd, ipv6("::", "ff02::1:ff00:1", 58, neighbour(135, kUs6)))).kind,
      Kind::Multicast);
  EXPECT_EQ(
      judge(ether(group, kUs, 0x86dd, ipv6("::", "ff02::16", 0, extension(58, icmp(143, 28)), 1)))
          .kind,
      Kind::Multicast);
  // Advertisements (a defence against a probe) go where the kernel sends them.
  EXPECT_EQ(judge(ether(kAllNodes, kUs, 0x86dd,
                        ipv6(kUs6, "ff02::1", 58, neighbour(136, kUs6, link_option(2, kUs)))))
                .kind,
            Kind::Multicast);
}

TEST(EtherOutgoing, QuestionsForOurselvesGoNowhere) {
  const MacAddress group{{0x33, 0x33, 0xff, 0, 0, 1}};
  EXPECT_EQ(why(ether(group, kUs, 0x86dd,
                      ipv6(kUs6, "ff02::1:ff00:7", 58, neighbour(135, "fd00:1:0:1::7")))),
            EtherDrop::OwnAddress);
  Credential router = member(1);
  router.ipv4.length = 24;
  EXPECT_EQ(
      judge_outgoing(ether(kEveryone, kUs, 0x0806, arp(1, kUs, "10.1.0.1", "10.1.0.9")), router)
          .drop,
      EtherDrop::OwnAddress);
}

// Written by hand from RFC 826.
TEST(EtherAnswers, ArpReply) {
  const EtherAnswer answer = build_answer({ip("10.1.0.2"), ip("10.1.0.1"), kUs}, member(2));
  EXPECT_EQ(to_hex(answer.view()),
            "021122334401"
            "021122334402"
            "0806"
            "0001"
            "0800"
            "06"
            "04"
            "0002"
            "021122334402"
            "0a010002"
            "021122334401"
            "0a010001");
}

// Written by hand from RFC 4861 4.4; the checksum by the plain sum of 16-bit words.
TEST(EtherAnswers, NeighbourAdvertisement) {
  const EtherAnswer answer = build_answer({ip(kPeer6), ip(kUs6), kUs}, member(2));
  const std::string sent = to_hex(answer.view());
  EXPECT_EQ(sent.substr(0, 28),
            "021122334401"
            "021122334402"
            "86dd");
  EXPECT_EQ(sent.substr(28, 16),
            "60000000"
            "0020"
            "3a"
            "ff");
  EXPECT_EQ(sent.substr(44, 64),
            "fd000001000000020000000000000001"
            "fd000001000000010000000000000001");
  EXPECT_EQ(sent.substr(108, 4), "8800");
  // fd00+1+2+1 + fd00+1+1+1 + 0020 + 003a + 8800+6000+0000 + fd00+1+2+1 + 0201+0211+2233+4402
  std::uint32_t sum = 0xfd00 + 1 + 2 + 1 + 0xfd00 + 1 + 1 + 1 + 0x20 + 0x3a + 0x8800 + 0x6000 +
                      0xfd00 + 1 + 2 + 1 + 0x0201 + 0x0211 + 0x2233 + 0x4402;
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  Bytes checksum;
  Writer(checksum).u16(static_cast<std::uint16_t>(~sum));
  EXPECT_EQ(sent.substr(112, 4), to_hex(checksum));
  EXPECT_EQ(sent.substr(116, 8), "60000000");
  EXPECT_EQ(sent.substr(124),
            "fd000001000000020000000000000001"
            "0201"
            "021122334402");
}

TEST(EtherAnswers, RouterFlagComesFromTheCredential) {
  const EtherAnswer answer = build_answer({ip(kPeer6), ip(kUs6), kUs}, member(2, kFlagRouter));
  EXPECT_EQ(answer.bytes[58], 0xe0);
  EXPECT_EQ(ipv6_checksum(ip(kPeer6), ip(kUs6), 58, answer.view().subspan(54)), 0);
}

// What we write into our TAP is what we would accept from its owner.
TEST(EtherAnswers, PassTheGuard) {
  EXPECT_EQ(
      judge_incoming(build_answer({ip(kPeer6), ip(kUs6), kUs}, member(2)).view(), member(2), kUs),
      EtherDrop::None);
  EXPECT_EQ(judge_incoming(build_answer({ip("10.1.0.2"), ip("10.1.0.1"), kUs}, member(2)).view(),
                           member(2), kUs),
            EtherDrop::None);
}

}  // namespace
}  // namespace wattle::cryptod
