// What a member with good papers may try inside its session.
#include "attacks.h"
#include "tests/support/ether_frames.h"

namespace wattle::cryptod::lab {
namespace {

using namespace tests;  // NOLINT

constexpr const char* kA4 = "10.91.4.1";
constexpr const char* kB4 = "10.91.4.2";  // another's
constexpr const char* kOwn4 = "10.91.4.200";
constexpr const char* kA6 = "fd12:3456:789a:1::1";
constexpr const char* kB6 = "fd12:3456:789a:2::1";
constexpr const char* kOwn6 = "fd12:3456:789a:c8::1";

MacAddress own(const Stage& s) { return s.member.credential.mac; }
MacAddress to(const Stage& s) { return s.a.credential.mac; }
void say(Stage& s, std::uint16_t type, const Bytes& payload) {
  s.say_frame(ether(to(s), own(s), type, payload));
}
void say_nd(Stage& s, const Bytes& nd, std::uint8_t hops = 255) {
  say(s, 0x86dd, ipv6(kOwn6, kA6, 58, nd, hops));
}

PacketKeyBytes record(Stage& s, std::uint64_t epoch, std::uint8_t key = 0x44) {
  return build_packet_key({s.lab.config.network,
                           s.member.address,
                           epoch,
                           s.lab.moment.unix_now,
                           {s.lab.moment.unix_now.seconds + kPacketKeyLife},
                           HandMember::key(key).public_key(),
                           s.member.credential.serial},
                          HandMember::key(0x21));
}
void put_index(Stage& s, Bytes& datagram) {
  FixedWriter(MutableBytes(datagram).subspan(kHeaderSize, 4)).u32(s.member.index);
}

const Attack kFrames[] = {
    {"ARP reply for another's address",
     {"drop_rx_arp_sender_ip"},
     [](Stage& s) { say(s, 0x0806, arp(2, own(s), kB4, kA4, to(s))); }},
    {"ARP request in another's name",
     {"drop_rx_arp_sender_ip"},
     [](Stage& s) { say(s, 0x0806, arp(1, own(s), kB4, kA4)); }},
    {"ARP reply with another's device address",
     {"drop_rx_arp_sender_mac"},
     [](Stage& s) { say(s, 0x0806, arp(2, s.b.credential.mac, kOwn4, kA4, to(s))); }},
    {"ARP of an unknown operation",
     {"drop_rx_bad_arp"},
     [](Stage& s) { say(s, 0x0806, arp(3, own(s), kOwn4, kA4, to(s))); }},
    {"neighbour advertisement for another's address",
     {"drop_rx_nd_target"},
     [](Stage& s) { say_nd(s, neighbour(136, kB6, link_option(2, own(s)))); }},
    {"neighbour advertisement with another's device address",
     {"drop_rx_nd_link_address"},
     [](Stage& s) { say_nd(s, neighbour(136, kOwn6, link_option(2, s.b.credential.mac))); }},
    {"neighbour solicitation with another's device address",
     {"drop_rx_nd_link_address"},
     [](Stage& s) { say_nd(s, neighbour(135, kA6, link_option(1, s.b.credential.mac))); }},
    {"neighbour solicitation from another's address",
     {"drop_rx_source_ip"},
     [](Stage& s) { say(s, 0x86dd, ipv6(kB6, kA6, 58, neighbour(135, kA6))); }},
    {"neighbour discovery that came through a router",
     {"drop_rx_bad_nd"},
     [](Stage& s) { say_nd(s, neighbour(136, kOwn6, link_option(2, own(s))), 254); }},
    {"neighbour discovery in a fragment",
     {"drop_rx_fragmented_nd"},
     [](Stage& s) {
       say(s, 0x86dd, ipv6(kOwn6, kA6, 44, fragment_header(58, 1, neighbour(136, kOwn6))));
     }},
    {"another's inner source device address",
     {"drop_rx_source_mac"},
     [](Stage& s) {
       s.say_frame(ether(to(s), s.b.credential.mac, 0x0800, ipv4(kB4, kA4, 1, icmp(8))));
     }},
    {"a frame for another's device address",
     {"drop_rx_destination"},
     [](Stage& s) {
       s.say_frame(ether(s.b.credential.mac, own(s), 0x0800, ipv4(kOwn4, kB4, 1, icmp(8))));
     }},
    {"another's IPv4 source",
     {"drop_rx_source_ip"},
     [](Stage& s) { say(s, 0x0800, ipv4(kB4, kA4, 1, icmp(8))); }},
    {"another's IPv6 source",
     {"drop_rx_source_ip"},
     [](Stage& s) { say(s, 0x86dd, ipv6(kB6, kA6, 58, icmp(128))); }},
    {"router advertisement",
     {"drop_rx_router_message"},
     [](Stage& s) { say(s, 0x86dd, ipv6(kOwn6, kA6, 58, icmp(134, 16))); }},
    {"ICMPv6 redirect",
     {"drop_rx_router_message"},
     [](Stage& s) { say(s, 0x86dd, ipv6(kOwn6, kA6, 58, icmp(137, 40))); }},
    {"ICMP redirect",
     {"drop_rx_router_message"},
     [](Stage& s) { say(s, 0x0800, ipv4(kOwn4, kA4, 1, icmp(5))); }},
    {"DHCP server",
     {"drop_rx_dhcp_server"},
     [](Stage& s) { say(s, 0x0800, ipv4(kOwn4, kA4, 17, udp(67, 68))); }},
    {"DHCPv6 server",
     {"drop_rx_dhcp_server"},
     [](Stage& s) { say(s, 0x86dd, ipv6(kOwn6, kA6, 17, udp(547, 546))); }},
    {"a first fragment too short to judge",
     {"drop_rx_tiny_fragment"},
     [](Stage& s) { say(s, 0x0800, ipv4(kOwn4, kA4, 17, Bytes(4), 0x2000)); }},
    {"IPv4 with a wrong header length",
     {"drop_rx_bad_ipv4"},
     [](Stage& s) {
       Bytes packet = ipv4(kOwn4, kA4, 1, icmp(8));
       packet[0] = 0x4f;
       say(s, 0x0800, packet);
     }},
    {"IPv6 of another version",
     {"drop_rx_bad_ipv6"},
     [](Stage& s) {
       Bytes packet = ipv6(kOwn6, kA6, 58, icmp(128));
       packet[0] = 0x70;
       say(s, 0x86dd, packet);
     }},
    {"a broadcast while the network has none",
     {"drop_broadcast"},
     [](Stage& s) {
       s.a.say(meta_link::Document{s.lab.document(3, {}, false)});
       s.say_frame(ether(kEveryone, own(s), 0x0800, ipv4(kOwn4, "255.255.255.255", 1, icmp(8))));
     }},
    {"a VLAN tag",
     {"drop_rx_vlan"},
     [](Stage& s) {
       say(s, 0x8100, Bytes{0, 1, 8, 0} + ipv4(kOwn4, kA4, 1, icmp(8)));
     }},
    {"an unknown ethertype", {"drop_rx_ethertype"}, [](Stage& s) { say(s, 0x88cc, Bytes(40)); }},
};

const Attack kSessions[] = {
    {"a datagram replayed",
     {"drop_replay"},
     [](Stage& s) {
       const Bytes once = s.member.seal(InnerType::Empty, {});
       s.inject(once);
       s.inject(once);
     }},
    {"a datagram of another session replayed",
     {"drop_replay"},
     [](Stage& s) { s.inject_from(s.b.endpoint, s.last_of_b(WireType::Transport)); }},
    {"another session's frame through our own",
     {"drop_sender"},
     [](Stage& s) {
       Bytes bytes = s.last_of_b(WireType::Transport);
       put_index(s, bytes);
       s.inject(bytes);
     }},
    {"the same in our own name",
     {"drop_tag"},
     [](Stage& s) {
       Bytes bytes = s.last_of_b(WireType::Transport);
       put_index(s, bytes);
       const ShortId id = s.member.address.short_id();
       std::copy(id.begin(), id.end(), bytes.begin() + 10);
       bytes[8] = 9;  // a counter that has not been used
       s.inject(bytes);
     }},
    {"a session that there is not",
     {"drop_receiver_index"},
     [](Stage& s) {
       Bytes bytes = s.member.seal(InnerType::Empty, {});
       bytes[28] ^= 0x80;
       s.inject(bytes);
     }},
    {"a session of more than three minutes, before the clock has ended it",
     {"drop_receiver_index"},
     [](Stage& s) {
       s.lab.moment.now += std::chrono::seconds(181);
       s.say(InnerType::Empty, {});
     }},
    {"a counter beyond the limit",
     {"drop_counter_limit"},
     [](Stage& s) {
       Bytes bytes = s.member.seal(InnerType::Empty, {});
       bytes[5] = 0xff;  // 2^32 and more
       s.inject(bytes);
     }},
    {"an unknown inner type",
     {"drop_inner_type"},
     [](Stage& s) { s.say(static_cast<InnerType>(77), {}); }},
    {"a probe of a wrong length",
     {"drop_inner_length"},
     [](Stage& s) { s.say(InnerType::Probe, Bytes(8)); }},
    {"an older packet-key record",
     {"members_refused_pkr_epoch"},
     [](Stage& s) {
       s.say(InnerType::Records, to_bytes(record(s, 9)));
       s.say(InnerType::Records, to_bytes(record(s, 8)));
     }},
    {"an equal epoch with another body",
     {"members_refused_pkr_epoch", "drop_equal_epoch"},
     [](Stage& s) {
       s.say(InnerType::Records, to_bytes(record(s, 9)));
       s.say(InnerType::Records, to_bytes(record(s, 9, 0x45)));
     }},
    {"a record with a high s",
     {"members_refused_pkr_low_s"},
     [](Stage& s) {
       PacketKeyBytes bytes = record(s, 9);
       make_high_s(bytes);
       s.say(InnerType::Records, to_bytes(bytes));
     }},
    {"another's record",
     {"members_refused_owner"},
     [](Stage& s) { s.say(InnerType::Records, to_bytes(*s.b.record)); }},
    {"records without end",
     {"members_refused_pkr_signature", "drop_record_budget"},
     [](Stage& s) {
       PacketKeyBytes bytes = record(s, 9);
       bytes[150] ^= 1;
       for (int i = 0; i < 20; ++i) s.say(InnerType::Records, to_bytes(bytes));
     }},
};

TEST(Attacks, FramesOfAMember) {
  for (const Attack& attack : kFrames) play(attack);
}

TEST(Attacks, SessionsOfAMember) {
  for (const Attack& attack : kSessions) play(attack);
}

// Whatever bit is changed underway: one counter goes up by one, which one depends on the place.
TEST(Attacks, ABitOfATransportDatagram) {
  Stage s;
  s.begin();
  const Bytes good = s.member.seal(InnerType::Frame, Bytes{8, 0, 1, 2, 3});
  const auto expected = [&](std::size_t at, unsigned bit) -> std::set<std::string> {
    if (at == 1 || at == 26) return {"drop_header"};
    if (at < 10)  // the counter: one that was used, one beyond the limit, or not what was sealed
      return {at < 6 || (at == 6 && bit >= 4) ? "drop_counter_limit" : "drop_tag"};
    if (at < 18) return {"drop_sender"};
    if (at < 26) return {"drop_relay_source"};  // for somebody else
    if (at < 28) return {"drop_type", "drop_length", "drop_reserved_type"};
    if (at < 32) return {"drop_receiver_index"};
    return {"drop_tag"};
  };
  for (std::size_t at = 1; at < good.size(); ++at)
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes bad = good;
      bad[at] ^= static_cast<std::uint8_t>(1u << bit);
      if (at == 9 && (bad[9] == 0)) continue;  // the confirmation's counter: seen, see below
      const auto raised = s.raised([&] { s.inject_from(s.stranger, bad); });
      ASSERT_EQ(raised.size(), 1u) << at << " " << bit;
      EXPECT_TRUE(expected(at, bit).contains(*raised.begin())) << at << " " << *raised.begin();
    }
  Bytes hops = good;
  hops[0] = 9;
  EXPECT_TRUE(s.raised([&] { s.inject(hops); }).contains("drop_rx_bad_ipv4"));  // it was opened
  EXPECT_EQ(s.raised([&] { s.inject(good); }), (std::set<std::string>{"drop_replay"}));
}

}  // namespace
}  // namespace wattle::cryptod::lab
