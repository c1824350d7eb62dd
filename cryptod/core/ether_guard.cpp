#include "cryptod/core/ether_guard.h"

#include "common/base/mutant.h"
#include "common/base/writer.h"

namespace wattle::cryptod {

namespace {

constexpr std::uint16_t kArpRequest = 1, kArpReply = 2;
constexpr std::uint8_t kIcmpRedirect = 5, kIcmpRouterAdvertisement = 9,
                       kIcmpRouterSolicitation = 10;
constexpr std::uint8_t kMldReport = 131, kMldDone = 132, kMldReport2 = 143;

// What a frame is, once everything in it has been found to be its sender's.
struct Verdict {
  EtherDrop drop = EtherDrop::None;
  bool question = false;      // ARP request or NS that is no probe
  bool announcement = false;  // gratuitous ARP
  IpAddress target, asker;    // of a question
};

Verdict dropped(EtherDrop drop) { return Verdict{.drop = drop, .target = {}, .asker = {}}; }

Verdict judge_arp(ByteView payload, const Credential& sender) {
  const auto arp = view_arp(payload);
  if (!arp || (WATTLE_CHECKED(ether_arp_operation,
                              arp->operation != kArpRequest && arp->operation != kArpReply)))
    return dropped(EtherDrop::BadArp);
  if (arp->operation == kArpRequest &&
      (WATTLE_CHECKED(ether_arp_target,
                      arp->target.is_unspecified() || arp->target.is_multicast())))
    return dropped(EtherDrop::BadArp);
  if (WATTLE_CHECKED(ether_arp_sender_mac, arp->sender_mac != sender.mac))
    return dropped(EtherDrop::ArpSenderMac);
  const bool probe = arp->operation == kArpRequest && arp->sender.is_unspecified();
  if (!WATTLE_CHECKED(ether_arp_sender_ip, sender.owns(probe ? arp->target : arp->sender)))
    return dropped(EtherDrop::ArpSenderIp);
  Verdict verdict;
  verdict.announcement = arp->sender == arp->target;
  verdict.question = arp->operation == kArpRequest && !probe && !verdict.announcement;
  verdict.target = arp->target;
  verdict.asker = arp->sender;
  return verdict;
}

// Neighbour discovery behind an IPv6 header whose source has not been looked at yet.
Verdict judge_neighbour(const IpView& ip, const Credential& sender) {
  const auto nd = view_neighbour(ip.body);
  if (!nd || WATTLE_CHECKED(ether_nd_repeated, nd->repeated) ||
      WATTLE_CHECKED(ether_nd_hop_limit, ip.hop_limit != 255) ||
      WATTLE_CHECKED(ether_nd_target_kind,
                     nd->target.is_multicast() || nd->target.is_unspecified()))
    return dropped(EtherDrop::BadNd);
  const bool solicitation = nd->type == kNdNeighbourSolicitation;
  const bool probe = ip.source.is_unspecified();
  // RFC 4861 7.1: a probe goes to a group and has no source option.
  if (probe && WATTLE_CHECKED(ether_nd_probe, !solicitation || nd->has_source_mac ||
                                                  !ip.destination.is_multicast()))
    return dropped(EtherDrop::BadNd);
  if (nd->has_source_mac && WATTLE_CHECKED(ether_nd_source_link, nd->source_mac != sender.mac))
    return dropped(EtherDrop::NdLinkAddress);
  if (nd->has_target_mac && WATTLE_CHECKED(ether_nd_target_link, nd->target_mac != sender.mac))
    return dropped(EtherDrop::NdLinkAddress);
  if ((probe || !solicitation) && !WATTLE_CHECKED(ether_nd_target, sender.owns(nd->target)))
    return dropped(EtherDrop::NdTarget);
  if (!probe && !WATTLE_CHECKED(ether_nd_source_ip, sender.owns(ip.source)))
    return dropped(EtherDrop::SourceIp);
  Verdict verdict;
  verdict.question = solicitation && !probe;
  verdict.target = nd->target;
  verdict.asker = ip.source;
  return verdict;
}

bool is_dhcp4_server(const UdpView& udp) {
  return udp.source_port == 67 || udp.destination_port == 68;
}
bool is_dhcp6_server(const UdpView& udp) {
  return udp.source_port == 547 || udp.destination_port == 546;
}

Verdict judge_ipv4(ByteView payload, const Credential& sender) {
  const auto ip = view_ipv4(payload);
  if (!ip) return dropped(EtherDrop::BadIpv4);
  const bool readable = ip->first_fragment;
  bool dhcp_client = false;
  if (readable && ip->protocol == kProtocolUdp) {
    const auto udp = view_udp(ip->body);
    if (!udp) return dropped(EtherDrop::TinyFragment);
    if (is_dhcp4_server(*udp) &&
        WATTLE_CHECKED(ether_dhcp4_server, (sender.flags & kFlagDhcp) == 0))
      return dropped(EtherDrop::DhcpServer);
    dhcp_client = udp->source_port == 68 && udp->destination_port == 67;
  }
  if (readable && ip->protocol == kProtocolIcmp) {
    if (ip->body.size() < 8) return dropped(EtherDrop::TinyFragment);
    const std::uint8_t type = ip->body[0];
    if ((type == kIcmpRedirect || type == kIcmpRouterAdvertisement ||
         type == kIcmpRouterSolicitation) &&
        WATTLE_CHECKED(ether_icmp4_router, (sender.flags & kFlagRouter) == 0))
      return dropped(EtherDrop::RouterMessage);
  }
  // A DHCP client that has no address yet speaks from 0.0.0.0.
  if (!WATTLE_CHECKED(ether_ipv4_source, sender.owns(ip->source)) &&
      !WATTLE_CHECKED(ether_ipv4_dhcp_client, dhcp_client && ip->source.is_unspecified()))
    return dropped(EtherDrop::SourceIp);
  return {};
}

bool may_be_unspecified(std::uint8_t icmp_type) {
  return icmp_type == kMldReport || icmp_type == kMldDone || icmp_type == kMldReport2;
}

Verdict judge_ipv6(ByteView payload, const Credential& sender) {
  const auto ip = view_ipv6(payload);
  if (!ip) return dropped(EtherDrop::BadIpv6);
  bool unspecified_allowed = false;
  if (ip->first_fragment && ip->protocol == kProtocolIcmpv6) {
    if (ip->body.size() < 4) return dropped(EtherDrop::TinyFragment);
    const std::uint8_t type = ip->body[0];
    if (is_nd_type(type)) {
      if (WATTLE_CHECKED(ether_nd_fragmented, ip->fragment))
        return dropped(EtherDrop::FragmentedNd);
      if (type == kNdNeighbourSolicitation || type == kNdNeighbourAdvertisement)
        return judge_neighbour(*ip, sender);
      if (WATTLE_CHECKED(ether_icmp6_router, (sender.flags & kFlagRouter) == 0))
        return dropped(EtherDrop::RouterMessage);
    }
    unspecified_allowed = may_be_unspecified(type) && !ip->fragment;
  }
  if (ip->first_fragment && ip->protocol == kProtocolUdp) {
    const auto udp = view_udp(ip->body);
    if (!udp) return dropped(EtherDrop::TinyFragment);
    if (is_dhcp6_server(*udp) &&
        WATTLE_CHECKED(ether_dhcp6_server, (sender.flags & kFlagDhcp) == 0))
      return dropped(EtherDrop::DhcpServer);
  }
  if (!WATTLE_CHECKED(ether_ipv6_source, sender.owns(ip->source)) &&
      !WATTLE_CHECKED(ether_ipv6_unspecified, unspecified_allowed && ip->source.is_unspecified()))
    return dropped(EtherDrop::SourceIp);
  return {};
}

// Everything that does not depend on the direction.
Verdict judge_content(const EtherView& frame, const Credential& sender) {
  if (WATTLE_CHECKED(ether_vlan, is_vlan_type(frame.type))) return dropped(EtherDrop::Vlan);
  if (WATTLE_CHECKED(ether_source_mac, frame.source != sender.mac))
    return dropped(EtherDrop::SourceMac);
  switch (frame.type) {
    case kEtherArp:
      return judge_arp(frame.payload, sender);
    case kEtherIpv4:
      return judge_ipv4(frame.payload, sender);
    case kEtherIpv6:
      return judge_ipv6(frame.payload, sender);
    default:
      return dropped(EtherDrop::EtherType);
  }
}

void write_ether(FixedWriter& out, const MacAddress& to, const MacAddress& from,
                 std::uint16_t type) {
  out.bytes(to.bytes).bytes(from.bytes).u16(type);
}

}  // namespace

std::string_view drop_name(EtherDrop drop) {
  static constexpr std::array<std::string_view, kEtherDrops> kNames = {
      "",
      "short",
      "vlan",
      "ethertype",
      "source_mac",
      "destination",
      "bad_arp",
      "arp_sender_mac",
      "arp_sender_ip",
      "arp_announcement",
      "own_address",
      "bad_ipv4",
      "bad_ipv6",
      "source_ip",
      "tiny_fragment",
      "fragmented_nd",
      "bad_nd",
      "nd_target",
      "nd_link_address",
      "router_message",
      "dhcp_server",
  };
  const auto index = static_cast<std::size_t>(drop);
  return index < kNames.size() ? kNames[index] : std::string_view{};
}

Outgoing judge_outgoing(ByteView bytes, const Credential& own) {
  Outgoing out;
  const auto drop = [&out](EtherDrop why) {
    out.kind = Outgoing::Kind::Drop;
    out.drop = why;
    return out;
  };
  const auto frame = view_ether(bytes);
  if (!frame) return drop(EtherDrop::Short);
  const Verdict verdict = judge_content(*frame, own);
  if (verdict.drop != EtherDrop::None) return drop(verdict.drop);
  if (WATTLE_CHECKED(ether_to_ourselves, frame->destination == own.mac))
    return drop(EtherDrop::Destination);
  if (WATTLE_CHECKED(ether_arp_announcement, verdict.announcement))
    return drop(EtherDrop::ArpAnnouncement);
  if (verdict.question) {
    if (WATTLE_CHECKED(ether_own_address, own.owns(verdict.target)))
      return drop(EtherDrop::OwnAddress);
    out.kind = Outgoing::Kind::Resolve;
    out.query = {verdict.target, verdict.asker, own.mac};
    return out;
  }
  out.destination = frame->destination;
  out.kind =
      frame->destination.is_multicast() ? Outgoing::Kind::Multicast : Outgoing::Kind::Unicast;
  return out;
}

EtherDrop judge_incoming(ByteView bytes, const Credential& sender, const MacAddress& own_mac) {
  const auto frame = view_ether(bytes);
  if (!frame) return EtherDrop::Short;
  if (WATTLE_CHECKED(ether_destination,
                     frame->destination != own_mac && !frame->destination.is_multicast()))
    return EtherDrop::Destination;
  return judge_content(*frame, sender).drop;
}

EtherAnswer build_answer(const EtherQuery& query, const Credential& owner) {
  EtherAnswer answer;
  FixedWriter out(answer.bytes);
  if (query.target.is_v4()) {
    write_ether(out, query.asker_mac, owner.mac, kEtherArp);
    out.u16(1).u16(kEtherIpv4).u8(6).u8(4).u16(kArpReply);
    out.bytes(owner.mac.bytes).bytes(query.target.view());
    out.bytes(query.asker_mac.bytes).bytes(query.asker.view());
  } else {
    constexpr std::uint8_t kRouterFlag = 0x80, kSolicited = 0x40, kOverride = 0x20;
    const bool router = (owner.flags & kFlagRouter) != 0;
    ByteArray<32> body{};
    FixedWriter nd(body);
    nd.u8(kNdNeighbourAdvertisement).u8(0).u16(0);
    nd.u8(static_cast<std::uint8_t>((router ? kRouterFlag : 0) | kSolicited | kOverride)).zeros(3);
    nd.bytes(query.target.bytes).u8(2).u8(1).bytes(owner.mac.bytes);
    FixedWriter(MutableBytes(body).subspan(2, 2))
        .u16(ipv6_checksum(query.target, query.asker, kProtocolIcmpv6, body));
    write_ether(out, query.asker_mac, owner.mac, kEtherIpv6);
    out.u32(6u << 28).u16(body.size()).u8(kProtocolIcmpv6).u8(255);
    out.bytes(query.target.bytes).bytes(query.asker.bytes).bytes(body);
  }
  answer.size = out.written();
  return answer;
}

}  // namespace wattle::cryptod
