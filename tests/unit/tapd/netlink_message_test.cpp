#include "tapd/netlink_message.h"

#include <gtest/gtest.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "common/base/hex.h"

// Requests are compared with bytes written down by hand from the kernel's headers (little-endian
// hosts).

namespace wattle::tapd {
namespace {

constexpr MacAddress kMac{{0x02, 0x11, 0x22, 0x33, 0x44, 0x55}};

IpPrefix prefix(const char* text) { return IpPrefix::parse(text).value(); }

TEST(NetlinkMessage, LinkUp) {
  EXPECT_EQ(to_hex(build_link_up(7, 5)),
            "2000000010000500"    // length 32, RTM_NEWLINK, REQUEST|ACK
            "0700000000000000"    // sequence, port
            "0000000005000000"    // family, type, index
            "0100000001000000");  // IFF_UP of IFF_UP
}

TEST(NetlinkMessage, LinkChangeHoldsMacMtuAndQueue) {
  EXPECT_EQ(to_hex(build_link_change(1, 3, kMac, 1400)),
            "3c00000010000500"
            "0100000000000000"
            "0000000003000000"
            "0000000000000000"
            "0a000100"
            "021122334455"
            "0000"  // IFLA_ADDRESS, padded
            "08000400"
            "78050000"  // IFLA_MTU
            "08000d00"
            "00100000");  // IFLA_TXQLEN
}

TEST(NetlinkMessage, NoAutoconfIsNested) {
  EXPECT_EQ(to_hex(build_no_autoconf(1, 3)),
            "3000000010000500"
            "0100000000000000"
            "0000000003000000"
            "0000000000000000"
            "10001a80"  // IFLA_AF_SPEC, nested
            "0c000a80"  // AF_INET6, nested
            "05000800"
            "01000000");  // addr_gen_mode none
}

TEST(NetlinkMessage, Ipv4AddressHasBroadcast) {
  EXPECT_EQ(to_hex(build_address_add(9, 4, prefix("10.7.1.9/22"))),
            "4000000014000505"
            "0900000000000000"  // RTM_NEWADDR, REQUEST|ACK|CREATE|REPLACE
            "0216000004000000"  // AF_INET, /22, flags, scope universe, index
            "08000200"
            "0a070109"
            "08000100"
            "0a070109"
            "08000400"
            "0a0703ff"  // last address of 10.7.0.0/22
            "08000800"
            "80000000"  // permanent
            "05000b00"
            "77000000");
}

TEST(NetlinkMessage, Ipv6AddressHasNoDad) {
  const std::string hex = to_hex(build_address_add(9, 4, prefix("fd00:7::9/48")));
  EXPECT_NE(hex.find("08000800"
                     "82000000"),
            std::string::npos)
      << hex;                                                         // permanent | nodad
  EXPECT_NE(hex.find("0a30000004000000"), std::string::npos) << hex;  // AF_INET6, /48
  const std::string local = to_hex(build_address_add(9, 4, {IpAddress::link_local(kMac), 64}));
  EXPECT_NE(local.find("0a4000fd04000000"), std::string::npos) << local;  // scope link
  EXPECT_NE(local.find("fe80000000000000001122fffe334455"), std::string::npos) << local;
}

// A kernel's message, put together by hand.
Bytes message(std::uint16_t type, std::uint32_t sequence, const Bytes& body,
              std::uint16_t flags = NLM_F_MULTI) {
  nlmsghdr header{};
  header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + body.size());
  header.nlmsg_type = type;
  header.nlmsg_flags = flags;
  header.nlmsg_seq = sequence;
  const auto* raw = reinterpret_cast<const std::uint8_t*>(&header);
  Bytes out(raw, raw + sizeof header);
  out.insert(out.end(), body.begin(), body.end());
  while (out.size() % 4 != 0) out.push_back(0);
  return out;
}

template <typename T>
void append(Bytes& out, const T& value) {
  const auto* raw = reinterpret_cast<const std::uint8_t*>(&value);
  for (std::size_t i = 0; i < sizeof value; ++i) out.push_back(raw[i]);
}

void append_attribute(Bytes& out, std::uint16_t type, const Bytes& value) {
  append(out, static_cast<std::uint16_t>(4 + value.size()));
  append(out, type);
  for (const std::uint8_t byte : value) out.push_back(byte);
  while (out.size() % 4 != 0) out.push_back(0);
}

Bytes address_body(std::uint8_t family, std::uint32_t index, const Bytes& address,
                   std::uint32_t flags = 0) {
  Bytes body;
  append(body, ifaddrmsg{family, 24, 0, 0, index});
  append_attribute(body, IFA_ADDRESS, address);
  Bytes value;
  append(value, flags);
  append_attribute(body, IFA_FLAGS, value);
  append_attribute(body, IFA_PROTO, {kAddressProtocol});
  return body;
}

TEST(NetlinkMessage, ReadsLinksAddressesAndTheEnd) {
  Bytes link;
  ifinfomsg info{};
  info.ifi_index = 12;
  info.ifi_flags = IFF_UP;
  append(link, info);
  append_attribute(link, IFLA_IFNAME, {'e', 't', 'h', '0', 0});
  Bytes datagram = message(RTM_NEWLINK, 3, link);
  const Bytes address = message(RTM_NEWADDR, 3, address_body(AF_INET, 12, {192, 0, 2, 7}, 0x80));
  datagram.insert(datagram.end(), address.begin(), address.end());
  Answer answer = parse_answer(datagram, 3);
  ASSERT_EQ(answer.links.size(), 1u);
  EXPECT_EQ(answer.links[0].name, "eth0");
  EXPECT_EQ(answer.links[0].index, 12u);
  EXPECT_EQ(answer.links[0].flags, static_cast<std::uint32_t>(IFF_UP));
  ASSERT_EQ(answer.addresses.size(), 1u);
  EXPECT_EQ(answer.addresses[0].address.text(), "192.0.2.7/24");
  EXPECT_EQ(answer.addresses[0].flags, 0x80u);
  EXPECT_EQ(answer.addresses[0].protocol, kAddressProtocol);
  EXPECT_FALSE(answer.done);
  EXPECT_TRUE(parse_answer(message(NLMSG_DONE, 3, {0, 0, 0, 0}), 3).done);
}

TEST(NetlinkMessage, AnswersToOthersAreNotOurs) {
  const Bytes datagram = message(RTM_NEWADDR, 4, address_body(AF_INET, 12, {192, 0, 2, 7}));
  EXPECT_TRUE(parse_answer(datagram, 3).addresses.empty());
  EXPECT_FALSE(parse_answer(message(NLMSG_DONE, 4, {0, 0, 0, 0}), 3).done);
}

TEST(NetlinkMessage, ErrorsAndInterruptedDumpsAreTold) {
  Bytes body;
  append(body, nlmsgerr{-EPERM, {}});
  EXPECT_EQ(parse_answer(message(NLMSG_ERROR, 1, body), 1).error, EPERM);
  body.clear();
  append(body, nlmsgerr{0, {}});
  const Answer fine = parse_answer(message(NLMSG_ERROR, 1, body), 1);
  EXPECT_EQ(fine.error, 0);
  EXPECT_TRUE(fine.done);
  EXPECT_TRUE(parse_answer(message(NLMSG_DONE, 1, {0, 0, 0, 0}, NLM_F_DUMP_INTR), 1).interrupted);
}

TEST(NetlinkMessage, CutMessagesAreDropped) {
  const Bytes whole = message(RTM_NEWADDR, 3, address_body(AF_INET, 12, {192, 0, 2, 7}));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_TRUE(parse_answer(ByteView(whole).first(size), 3).addresses.empty()) << size;
  // An address of the wrong size, and a prefix length that its family does not have.
  EXPECT_TRUE(parse_answer(message(RTM_NEWADDR, 3, address_body(AF_INET6, 1, {1, 2, 3, 4})), 3)
                  .addresses.empty());
  Bytes odd = address_body(AF_INET, 1, {1, 2, 3, 4});
  odd[1] = 33;
  EXPECT_TRUE(parse_answer(message(RTM_NEWADDR, 3, odd), 3).addresses.empty());
}

TEST(NetlinkMessage, OnlyTheRightLinkIsGone) {
  Bytes link;
  ifinfomsg info{};
  info.ifi_index = 12;
  append(link, info);
  EXPECT_TRUE(tells_link_gone(message(RTM_DELLINK, 0, link), 12));
  EXPECT_FALSE(tells_link_gone(message(RTM_DELLINK, 0, link), 13));
  EXPECT_FALSE(tells_link_gone(message(RTM_NEWLINK, 0, link), 12));
}

TEST(NetlinkMessage, ReachableAddressesLeaveOutWhatNoPeerCanUse) {
  const std::vector<LinkInfo> links = {{1, IFF_UP | IFF_LOOPBACK, "lo"},
                                       {2, IFF_UP, "eth0"},
                                       {3, 0, "eth1"},
                                       {4, IFF_UP, "wt-home"},
                                       {5, IFF_UP, "wt-other"}};
  const auto at = [](std::uint32_t index, const char* text, std::uint32_t flags = 0) {
    return AddressInfo{index, flags, 0, 0, IpPrefix::parse(text).value()};
  };
  const auto found = reachable_addresses(
      links,
      {at(2, "192.0.2.7/24"), at(2, "192.0.2.7/32"), at(2, "2001:db8::7/64"), at(2, "fe80::7/64"),
       at(2, "2001:db8::8/64", IFA_F_TENTATIVE), at(2, "2001:db8::9/64", IFA_F_DEPRECATED),
       at(1, "10.9.9.9/8"), at(2, "127.0.0.5/8"), at(3, "192.0.2.8/24"), at(4, "10.7.0.1/22"),
       at(5, "10.8.0.1/22"), at(6, "192.0.2.66/24")},
      4);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].text(), "192.0.2.7");
  EXPECT_EQ(found[1].text(), "2001:db8::7");
}

TEST(NetlinkMessage, ReachableAddressesAreBounded) {
  std::vector<AddressInfo> many;
  for (unsigned i = 0; i < 1000; ++i)
    many.push_back(
        {2,
         0,
         0,
         0,
         {IpAddress::v4({10, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)}),
          32}});
  EXPECT_EQ(reachable_addresses({{2, IFF_UP, "eth0"}}, many, 9).size(), kMaxLocalAddresses);
}

}  // namespace
}  // namespace wattle::tapd
