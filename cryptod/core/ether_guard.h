// What may go between the TAP and the sessions (DESIGN 8). Pure judgements on one frame; the engine
// looks up owners and sessions. Nothing here allocates.
//
// Out of our own TAP (judge_outgoing), with our own credential:
//  - an ARP request or a neighbour solicitation is a question that never crosses the wire:
//  `Resolve`.
//    The engine finds the owner, and once it holds that member's verified credential, which covers
//    the target, writes build_answer() back into the TAP. Unknown: no answer at all.
//  - duplicate-address probes (neighbour solicitation from ::, ARP probe from 0.0.0.0) and MLD go
//  out as
//    multicast and are never answered here.
//  - our own ARP announcements (sender = target) are dropped: nobody needs them, since nobody
//    believes them. So are questions for an address of our own.
//  - everything else is `Unicast` to a MAC address or `Multicast` (broadcast included).
//  Whatever every receiver would drop is dropped here, by the same rules and names.
//
// Out of a session (judge_incoming), with the verified credential of the session's peer: ethertypes
// ARP, IPv4, IPv6; source MAC, ARP sender, ND target and link-layer option, source IP must be the
// peer's own; destination is our MAC or a group; router and DHCP server messages need the flag.
// Bridges' foreign MAC addresses come with their licence, not here.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "common/net/ether_frame.h"
#include "common/proto/credential.h"

namespace wattle::cryptod {

// Why a frame was dropped; each has one counter, named by drop_name().
enum class EtherDrop : std::uint8_t {
  None = 0,         // pass
  Short,            // shorter than an Ethernet header
  Vlan,             // a VLAN tag
  EtherType,        // neither ARP nor IPv4 nor IPv6
  SourceMac,        // not the sender's own MAC
  Destination,      // in: neither our MAC nor a group; out: our own MAC
  BadArp,           // not ARP for IPv4 over Ethernet; a question for no or a group's address
  ArpSenderMac,     // ARP sender hardware address is not the sender's MAC
  ArpSenderIp,      // ARP sender address (of a probe: its target) is not the sender's
  ArpAnnouncement,  // out only: our own gratuitous ARP
  OwnAddress,       // out only: a question for an address of our own
  BadIpv4,          // header or lengths do not add up
  BadIpv6,          // header, extension headers or lengths do not add up
  SourceIp,         // source address is not the sender's
  TinyFragment,     // a first fragment too short to show what it carries
  FragmentedNd,     // neighbour discovery in a fragment (RFC 6980)
  BadNd,            // hop limit, code, options or lengths of neighbour discovery
  NdTarget,         // advertised or probed address is not the sender's
  NdLinkAddress,    // link-layer option is not the sender's MAC
  RouterMessage,    // RA, RS, redirect, ICMP router messages without the router flag
  DhcpServer,       // DHCP, BOOTP or DHCPv6 server message without the dhcp flag
};
inline constexpr std::size_t kEtherDrops = 21;
std::string_view drop_name(EtherDrop drop);  // "source_mac"; all different; "" for None

// An ARP request or neighbour solicitation of our own kernel.
struct EtherQuery {
  IpAddress target;      // IPv4 (ARP) or IPv6 (NS), never multicast or unspecified
  IpAddress asker;       // as the kernel wrote it: the answer goes there
  MacAddress asker_mac;  // our own MAC

  auto operator<=>(const EtherQuery&) const = default;
};

struct Outgoing {
  enum class Kind : std::uint8_t { Drop, Resolve, Unicast, Multicast };
  Kind kind = Kind::Drop;
  EtherDrop drop = EtherDrop::None;  // Drop
  EtherQuery query;                  // Resolve
  MacAddress destination;            // Unicast, Multicast
};

Outgoing judge_outgoing(ByteView frame, const Credential& own);

// `frame` with its Ethernet header (the engine rebuilds it where it was implied).
EtherDrop judge_incoming(ByteView frame, const Credential& sender, const MacAddress& own_mac);

// ARP reply (42 bytes) or neighbour advertisement (86 bytes: solicited, override, target link-layer
// option; the router flag if the owner's credential has it) for the TAP.
struct EtherAnswer {
  ByteArray<86> bytes{};
  std::size_t size = 0;
  ByteView view() const { return ByteView(bytes).first(size); }
};
EtherAnswer build_answer(const EtherQuery& query, const Credential& owner);

}  // namespace wattle::cryptod
