// What a session's frames may be: every reason to drop has a frame that meets it, and a twin, as
// alike as can be, that passes.
#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

#include "cryptod/core/ether_guard.h"
#include "tests/support/ether_frames.h"

namespace wattle::cryptod {
namespace {

using namespace tests;  // NOLINT

const MacAddress kUs = mac(1);
const MacAddress kPeer = mac(2);

EtherDrop judge(const Bytes& frame, std::uint8_t flags = 0) {
  return judge_incoming(frame, member(2, flags), kUs);
}
EtherDrop arp_in(const Bytes& payload) { return judge(ether(kUs, kPeer, 0x0806, payload)); }
EtherDrop ip4_in(const Bytes& payload, std::uint8_t flags = 0) {
  return judge(ether(kUs, kPeer, 0x0800, payload), flags);
}
EtherDrop ip6_in(const Bytes& payload, std::uint8_t flags = 0) {
  return judge(ether(kUs, kPeer, 0x86dd, payload), flags);
}

const Bytes kPing4 = ipv4("10.1.0.2", "10.1.0.1", 1, icmp(8));
constexpr const char* kPeer6 = "fd00:1:0:2::1";
constexpr const char* kUs6 = "fd00:1:0:1::1";

TEST(EtherIncoming, NamesOfDropsDiffer) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kEtherDrops; ++i) names.insert(drop_name(static_cast<EtherDrop>(i)));
  EXPECT_EQ(names.size(), kEtherDrops);
  EXPECT_EQ(drop_name(EtherDrop::DhcpServer), "dhcp_server");
  EXPECT_EQ(static_cast<std::size_t>(EtherDrop::DhcpServer) + 1, kEtherDrops);
  EXPECT_EQ(drop_name(static_cast<EtherDrop>(kEtherDrops)), "");
}

TEST(EtherIncoming, ShortFrames) {
  const Bytes frame = ether(kUs, kPeer, 0x0800, {});
  EXPECT_EQ(judge(Bytes(frame.begin(), frame.end() - 1)), EtherDrop::Short);
  EXPECT_EQ(judge({}), EtherDrop::Short);
  EXPECT_EQ(judge(frame), EtherDrop::BadIpv4);
}

TEST(EtherIncoming, EtherTypes) {
  EXPECT_EQ(judge(ether(kUs, kPeer, 0x0800, kPing4)), EtherDrop::None);
  EXPECT_EQ(judge(ether(kUs, kPeer, 0x8137, kPing4)), EtherDrop::EtherType);
  EXPECT_EQ(judge(ether(kUs, kPeer, 0x8035, kPing4)), EtherDrop::EtherType);
  EXPECT_EQ(judge(ether(kUs, kPeer, 0x0028, kPing4)), EtherDrop::EtherType);  // 802.3 length
  for (const std::uint16_t tag :
       std::to_array<std::uint16_t>({0x8100, 0x88a8, 0x9100, 0x9200, 0x9300}))
    EXPECT_EQ(judge(ether(kUs, kPeer, tag, Bytes{0, 1, 8, 0} + kPing4)), EtherDrop::Vlan);
}

TEST(EtherIncoming, MacAddresses) {
  EXPECT_EQ(judge(ether(kUs, mac(3), 0x0800, kPing4)), EtherDrop::SourceMac);
  EXPECT_EQ(judge(ether(kUs, kUs, 0x0800, kPing4)), EtherDrop::SourceMac);
  EXPECT_EQ(judge(ether(mac(3), kPeer, 0x0800, kPing4)), EtherDrop::Destination);
  EXPECT_EQ(judge(ether(kPeer, kPeer, 0x0800, kPing4)), EtherDrop::Destination);
  EXPECT_EQ(judge(ether(kEveryone, kPeer, 0x0800, kPing4)), EtherDrop::None);
  EXPECT_EQ(judge(ether(kAllNodes, kPeer, 0x0800, kPing4)), EtherDrop::None);
}

TEST(EtherIncoming, Arp) {
  EXPECT_EQ(arp_in(arp(2, kPeer, "10.1.0.2", "10.1.0.1", kUs)), EtherDrop::None);
  EXPECT_EQ(arp_in(arp(1, kPeer, "10.1.0.2", "10.1.0.1")), EtherDrop::None);
  EXPECT_EQ(arp_in(arp(2, mac(3), "10.1.0.2", "10.1.0.1", kUs)), EtherDrop::ArpSenderMac);
  EXPECT_EQ(arp_in(arp(2, kPeer, "10.1.0.3", "10.1.0.1", kUs)), EtherDrop::ArpSenderIp);
  EXPECT_EQ(arp_in(arp(1, kPeer, "10.1.0.3", "10.1.0.1")), EtherDrop::ArpSenderIp);
  EXPECT_EQ(arp_in(arp(3, kPeer, "10.1.0.2", "10.1.0.1")), EtherDrop::BadArp);
  EXPECT_EQ(arp_in(arp(0, kPeer, "10.1.0.2", "10.1.0.1")), EtherDrop::BadArp);
  EXPECT_EQ(arp_in(arp(1, kPeer, "10.1.0.2", "0.0.0.0")), EtherDrop::BadArp);
  EXPECT_EQ(arp_in(arp(1, kPeer, "10.1.0.2", "224.0.0.1")), EtherDrop::BadArp);
  EXPECT_EQ(arp_in(arp(2, kPeer, "10.1.0.2", "0.0.0.0", kUs)), EtherDrop::None);  // to a prober
  // A probe is for the prober's own address only; a reply is never a probe.
  EXPECT_EQ(arp_in(arp(1, kPeer, "0.0.0.0", "10.1.0.2")), EtherDrop::None);
  EXPECT_EQ(arp_in(arp(1, kPeer, "0.0.0.0", "10.1.0.1")), EtherDrop::ArpSenderIp);
  EXPECT_EQ(arp_in(arp(2, kPeer, "0.0.0.0", "10.1.0.2")), EtherDrop::ArpSenderIp);
  EXPECT_EQ(arp_in(arp(1, kPeer, "10.1.0.2", "10.1.0.2")), EtherDrop::None);  // announcement
  EXPECT_EQ(arp_in(arp(2, kPeer, "10.1.0.1", "10.1.0.1")), EtherDrop::ArpSenderIp);
}

TEST(EtherIncoming, ArpOfOtherKinds) {
  const Bytes good = arp(2, kPeer, "10.1.0.2", "10.1.0.1", kUs);
  EXPECT_EQ(arp_in(good + Bytes(18, 0)), EtherDrop::None);  // padded to the least Ethernet frame
  EXPECT_EQ(arp_in(Bytes(good.begin(), good.end() - 1)), EtherDrop::BadArp);
  for (const std::size_t at : {0u, 1u, 2u, 3u, 4u, 5u}) {
    Bytes bad = good;
    bad[at] ^= 1;
    EXPECT_EQ(arp_in(bad), EtherDrop::BadArp) << at;
  }
}

TEST(EtherIncoming, Ipv4Headers) {
  EXPECT_EQ(ip4_in(kPing4), EtherDrop::None);
  EXPECT_EQ(ip4_in(kPing4 + Bytes(30, 0)), EtherDrop::None);  // link padding
  const auto with = [](std::size_t at, std::uint8_t value) {
    Bytes out = kPing4;
    out[at] = value;
    return out;
  };
  EXPECT_EQ(ip4_in(with(0, 0x65)), EtherDrop::BadIpv4);  // version
  EXPECT_EQ(ip4_in(with(0, 0x44)), EtherDrop::BadIpv4);  // header of 16 bytes
  EXPECT_EQ(ip4_in(with(0, 0x4f)), EtherDrop::BadIpv4);  // header longer than the packet
  EXPECT_EQ(ip4_in(with(3, 19)), EtherDrop::BadIpv4);    // total < header
  EXPECT_EQ(ip4_in(with(3, 29)), EtherDrop::BadIpv4);    // total > bytes
  EXPECT_EQ(ip4_in(with(6, 0x80)), EtherDrop::BadIpv4);  // reserved bit
  EXPECT_EQ(ip4_in(with(6, 0x40)), EtherDrop::None);     // do not fragment
  EXPECT_EQ(ip4_in(Bytes(kPing4.begin(), kPing4.begin() + 19)), EtherDrop::BadIpv4);
}

TEST(EtherIncoming, Ipv4Source) {
  EXPECT_EQ(ip4_in(ipv4("10.1.0.3", "10.1.0.1", 1, icmp(8))), EtherDrop::SourceIp);
  EXPECT_EQ(ip4_in(ipv4("10.1.0.1", "10.1.0.1", 6, Bytes(20))), EtherDrop::SourceIp);
  EXPECT_EQ(ip4_in(ipv4("255.255.255.255", "10.1.0.1", 6, Bytes(20))), EtherDrop::SourceIp);
  EXPECT_EQ(ip4_in(ipv4("0.0.0.0", "10.1.0.1", 6, Bytes(20))), EtherDrop::SourceIp);
  EXPECT_EQ(ip4_in(ipv4("10.1.0.2", "10.1.0.1", 6, Bytes(20))), EtherDrop::None);
  // Later fragments are judged by their source, too.
  EXPECT_EQ(ip4_in(ipv4("10.1.0.3", "10.1.0.1", 17, Bytes(20), 100)), EtherDrop::SourceIp);
  EXPECT_EQ(ip4_in(ipv4("10.1.0.2", "10.1.0.1", 17, Bytes(2), 100)), EtherDrop::None);
}

TEST(EtherIncoming, DhcpServers) {
  const Bytes offer = ipv4("10.1.0.2", "255.255.255.255", 17, udp(67, 68));
  EXPECT_EQ(ip4_in(offer), EtherDrop::DhcpServer);
  EXPECT_EQ(ip4_in(offer, kFlagDhcp), EtherDrop::None);
  EXPECT_EQ(ip4_in(offer, kFlagRouter | kFlagRelay | kFlagBridge | kFlagGateway | kFlagLeaf),
            EtherDrop::DhcpServer);
  EXPECT_EQ(ip4_in(ipv4("10.1.0.2", "10.1.0.1", 17, udp(67, 9000))), EtherDrop::DhcpServer);
  EXPECT_EQ(ip4_in(ipv4("10.1.0.2", "10.1.0.1", 17, udp(9000, 68))), EtherDrop::DhcpServer);
  EXPECT_EQ(ip4_in(ipv4("10.1.0.2", "10.1.0.1", 17, udp(67, 68), 0x2000)), EtherDrop::DhcpServer);
  // A client may ask, even before it has an address; nobody else speaks from 0.0.0.0.
  EXPECT_EQ(ip4_in(ipv4("0.0.0.0", "255.255.255.255", 17, udp(68, 67))), EtherDrop::None);
  EXPECT_EQ(ip4_in(ipv4("0.0.0.0", "255.255.255.255", 17, udp(68, 69))), EtherDrop::SourceIp);
  EXPECT_EQ(ip4_in(ipv4("0.0.0.0", "255.255.255.255", 17, udp(69, 67))), EtherDrop::SourceIp);
  EXPECT_EQ(ip4_in(ipv4("10.1.0.3", "255.255.255.255", 17, udp(68, 67))), EtherDrop::SourceIp);

  const Bytes reply6 = ipv6(kPeer6, kUs6, 17, udp(547, 546));
  EXPECT_EQ(ip6_in(reply6), EtherDrop::DhcpServer);
  EXPECT_EQ(ip6_in(reply6, kFlagDhcp), EtherDrop::None);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 17, udp(547, 9000))), EtherDrop::DhcpServer);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 17, udp(9000, 546))), EtherDrop::DhcpServer);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, "ff02::1:2", 17, udp(546, 547))), EtherDrop::None);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 60, extension(17, udp(547, 546)))), EtherDrop::DhcpServer);
}

TEST(EtherIncoming, RouterMessages) {
  for (const std::uint8_t type : std::to_array<std::uint8_t>({5, 9, 10})) {
    const Bytes packet = ipv4("10.1.0.2", "10.1.0.1", 1, icmp(type));
    EXPECT_EQ(ip4_in(packet), EtherDrop::RouterMessage) << int{type};
    EXPECT_EQ(ip4_in(packet, kFlagRouter), EtherDrop::None) << int{type};
  }
  for (const std::uint8_t type : std::to_array<std::uint8_t>({0, 3, 8, 11})) {
    EXPECT_EQ(ip4_in(ipv4("10.1.0.2", "10.1.0.1", 1, icmp(type))), EtherDrop::None) << int{type};
  }
  for (const std::uint8_t type : std::to_array<std::uint8_t>({133, 134, 137})) {
    const Bytes packet = ipv6(kPeer6, "ff02::1", 58, icmp(type, 16));
    EXPECT_EQ(ip6_in(packet), EtherDrop::RouterMessage) << int{type};
    EXPECT_EQ(ip6_in(packet, kFlagDhcp | kFlagRelay), EtherDrop::RouterMessage) << int{type};
    EXPECT_EQ(ip6_in(packet, kFlagRouter), EtherDrop::None) << int{type};
    EXPECT_EQ(ip6_in(ipv6(kPeer6, "ff02::1", 0, extension(58, icmp(type, 16)))),
              EtherDrop::RouterMessage);
  }
  for (const std::uint8_t type : std::to_array<std::uint8_t>({1, 2, 128, 129, 130, 143}))
    EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 58, icmp(type, 16))), EtherDrop::None) << int{type};
  // The same bytes where they are no ICMP header: TCP's ports, and the middle of something.
  EXPECT_EQ(ip4_in(ipv4("10.1.0.2", "10.1.0.1", 6, icmp(5, 20))), EtherDrop::None);
  EXPECT_EQ(ip4_in(ipv4("10.1.0.2", "10.1.0.1", 1, icmp(5), 100)), EtherDrop::None);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 6, icmp(134, 20))), EtherDrop::None);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 44, fragment_header(58, 800, icmp(134, 16)))),
            EtherDrop::None);
  // A router still has to speak from an address of its own.
  EXPECT_EQ(ip6_in(ipv6("fd00:1:0:3::1", "ff02::1", 58, icmp(134, 16)), kFlagRouter),
            EtherDrop::SourceIp);
}

TEST(EtherIncoming, TinyFirstFragments) {
  EXPECT_EQ(ip4_in(ipv4("10.1.0.2", "10.1.0.1", 17, Bytes(7), 0x2000)), EtherDrop::TinyFragment);
  EXPECT_EQ(ip4_in(ipv4("10.1.0.2", "10.1.0.1", 17, Bytes(8), 0x2000)), EtherDrop::None);
  EXPECT_EQ(ip4_in(ipv4("10.1.0.2", "10.1.0.1", 1, Bytes(7), 0x2000)), EtherDrop::TinyFragment);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 58, Bytes(3))), EtherDrop::TinyFragment);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 58, Bytes(4))), EtherDrop::None);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 44, fragment_header(17, 1, Bytes(7)))),
            EtherDrop::TinyFragment);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 44, fragment_header(17, 1, Bytes(8)))), EtherDrop::None);
}

TEST(EtherIncoming, Ipv6HeadersAndSource) {
  const Bytes good = ipv6(kPeer6, kUs6, 6, Bytes(20));
  EXPECT_EQ(ip6_in(good), EtherDrop::None);
  EXPECT_EQ(ip6_in(good + Bytes(9)), EtherDrop::None);
  EXPECT_EQ(ip6_in(Bytes(good.begin(), good.end() - 1)), EtherDrop::BadIpv6);
  EXPECT_EQ(ip6_in(Bytes(good.begin(), good.begin() + 39)), EtherDrop::BadIpv6);
  Bytes version = good;
  version[0] = 0x40;
  EXPECT_EQ(ip6_in(version), EtherDrop::BadIpv6);
  EXPECT_EQ(ip6_in(ipv6("fd00:1:0:3::1", kUs6, 6, Bytes(20))), EtherDrop::SourceIp);
  EXPECT_EQ(ip6_in(ipv6("::1", kUs6, 6, Bytes(20))), EtherDrop::SourceIp);
  EXPECT_EQ(ip6_in(ipv6("fe80::11:22ff:fe33:4402", kUs6, 6, Bytes(20))), EtherDrop::None);
  EXPECT_EQ(ip6_in(ipv6("fe80::11:22ff:fe33:4403", kUs6, 6, Bytes(20))), EtherDrop::SourceIp);
  EXPECT_EQ(ip6_in(ipv6("::", kUs6, 6, Bytes(20))), EtherDrop::SourceIp);
}

TEST(EtherIncoming, UnspecifiedSourceIsForMldReportsOnly) {
  const auto from_nobody = [](std::uint8_t type) {
    return ip6_in(ipv6("::", "ff02::16", 0, extension(58, icmp(type, 20)), 1));
  };
  EXPECT_EQ(from_nobody(143), EtherDrop::None);
  EXPECT_EQ(from_nobody(131), EtherDrop::None);
  EXPECT_EQ(from_nobody(132), EtherDrop::None);
  EXPECT_EQ(from_nobody(130), EtherDrop::SourceIp);
  EXPECT_EQ(from_nobody(128), EtherDrop::SourceIp);
  EXPECT_EQ(ip6_in(ipv6("::", "ff02::16", 44, fragment_header(58, 1, icmp(143, 20)))),
            EtherDrop::SourceIp);
  EXPECT_EQ(ip6_in(ipv6("::", "ff02::16", 44, fragment_header(58, 8, icmp(143, 20)))),
            EtherDrop::SourceIp);
}

TEST(EtherIncoming, NeighbourAdvertisements) {
  const Bytes own = link_option(2, kPeer);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 58, neighbour(136, kPeer6, own))), EtherDrop::None);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 58, neighbour(136, kPeer6))), EtherDrop::None);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 58, neighbour(136, "fd00:1:0:3::1", own))),
            EtherDrop::NdTarget);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 58, neighbour(136, kPeer6, link_option(2, mac(3))))),
            EtherDrop::NdLinkAddress);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 58, neighbour(136, kPeer6, link_option(1, mac(3))))),
            EtherDrop::NdLinkAddress);
  EXPECT_EQ(ip6_in(ipv6("fd00:1:0:3::1", kUs6, 58, neighbour(136, kPeer6, own))),
            EtherDrop::SourceIp);
  EXPECT_EQ(ip6_in(ipv6("::", "ff02::1", 58, neighbour(136, kPeer6, own))), EtherDrop::BadNd);
  // The router flag of the credential gives nobody another's address.
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 58, neighbour(136, kUs6, own)), kFlagRouter),
            EtherDrop::NdTarget);
}

TEST(EtherIncoming, NeighbourSolicitations) {
  const char* group = "ff02::1:ff00:1";
  const Bytes own = link_option(1, kPeer);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, group, 58, neighbour(135, kUs6, own))), EtherDrop::None);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, group, 58, neighbour(135, kUs6, link_option(1, mac(3))))),
            EtherDrop::NdLinkAddress);
  EXPECT_EQ(ip6_in(ipv6("fd00:1:0:3::1", group, 58, neighbour(135, kUs6, own))),
            EtherDrop::SourceIp);
  // Probes: the prober's own address, to a group, without an option.
  EXPECT_EQ(ip6_in(ipv6("::", group, 58, neighbour(135, kPeer6))), EtherDrop::None);
  EXPECT_EQ(ip6_in(ipv6("::", group, 58, neighbour(135, kUs6))), EtherDrop::NdTarget);
  EXPECT_EQ(ip6_in(ipv6("::", group, 58, neighbour(135, kPeer6, own))), EtherDrop::BadNd);
  EXPECT_EQ(ip6_in(ipv6("::", kUs6, 58, neighbour(135, kPeer6))), EtherDrop::BadNd);
}

TEST(EtherIncoming, MalformedNeighbourDiscovery) {
  const Bytes own = link_option(2, kPeer);
  const auto na = [&](const Bytes& body, std::uint8_t hops = 255) {
    return ip6_in(ipv6(kPeer6, kUs6, 58, body, hops));
  };
  const Bytes good = neighbour(136, kPeer6, own);
  EXPECT_EQ(na(good), EtherDrop::None);
  EXPECT_EQ(na(good, 254), EtherDrop::BadNd);
  Bytes code = good;
  code[1] = 1;
  EXPECT_EQ(na(code), EtherDrop::BadNd);
  EXPECT_EQ(na(Bytes(good.begin(), good.begin() + 23)), EtherDrop::BadNd);
  EXPECT_EQ(na(good + Bytes{7}), EtherDrop::BadNd);                       // half an option
  EXPECT_EQ(na(good + Bytes{7, 0, 0, 0, 0, 0, 0, 0}), EtherDrop::BadNd);  // length zero
  EXPECT_EQ(na(good + Bytes{7, 2, 0, 0, 0, 0, 0, 0}), EtherDrop::BadNd);  // over the end
  EXPECT_EQ(na(good + Bytes{14, 1, 0, 0, 0, 0, 0, 0}), EtherDrop::None);  // nonce
  EXPECT_EQ(na(good + own), EtherDrop::BadNd);                            // twice
  EXPECT_EQ(na(neighbour(136, kPeer6, Bytes{2, 2} + Bytes(14))), EtherDrop::BadNd);
  EXPECT_EQ(na(neighbour(136, "ff02::1", own)), EtherDrop::BadNd);
  EXPECT_EQ(na(neighbour(136, "::", own)), EtherDrop::BadNd);
  // A wrong one first and a right one after it does not pass, whichever the kernel would take.
  EXPECT_EQ(na(neighbour(136, kPeer6, link_option(2, mac(3)) + own)), EtherDrop::BadNd);
}

TEST(EtherIncoming, FragmentedNeighbourDiscovery) {
  const Bytes na = neighbour(136, kPeer6, link_option(2, kPeer));
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 44, fragment_header(58, 1, na))), EtherDrop::FragmentedNd);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 44, fragment_header(58, 0, na))), EtherDrop::FragmentedNd);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 44, fragment_header(60, 1, extension(58, na)))),
            EtherDrop::FragmentedNd);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 44, fragment_header(58, 1, icmp(134, 16))), kFlagRouter),
            EtherDrop::FragmentedNd);
  EXPECT_EQ(ip6_in(ipv6(kPeer6, kUs6, 44, fragment_header(58, 1, icmp(128, 16)))), EtherDrop::None);
}

}  // namespace
}  // namespace wattle::cryptod
