// Bounds-checked views of what an Ethernet frame carries: ARP, IPv4, IPv6 with its extension
// headers, neighbour discovery. Views point into the caller's bytes; nothing is copied or
// allocated. A header that does not fit into its bytes, or contradicts them, gives no view at all
// (nullopt).
#pragma once

#include <cstdint>
#include <optional>

#include "common/base/bytes.h"
#include "common/net/ip_address.h"
#include "common/net/mac_address.h"

namespace wattle {

inline constexpr std::size_t kEtherHeader = 14;
inline constexpr std::uint16_t kEtherIpv4 = 0x0800;
inline constexpr std::uint16_t kEtherArp = 0x0806;
inline constexpr std::uint16_t kEtherIpv6 = 0x86dd;

inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolIcmpv6 = 58;

struct EtherView {
  MacAddress destination, source;
  std::uint16_t type = 0;
  ByteView payload;
};
std::optional<EtherView> view_ether(ByteView frame);
// 802.1Q, 802.1ad and the older tags that switches use.
bool is_vlan_type(std::uint16_t ether_type);

// ARP for IPv4 over Ethernet (RFC 826); any other hardware or protocol type gives no view.
struct ArpView {
  std::uint16_t operation = 0;  // 1 request, 2 reply
  MacAddress sender_mac, target_mac;
  IpAddress sender, target;
};
std::optional<ArpView> view_arp(ByteView payload);

// What IPv4 and IPv6 have in common once their headers are walked.
struct IpView {
  IpAddress source, destination;
  std::uint8_t hop_limit = 0;
  std::uint8_t protocol = 0;   // of `body`, behind every extension header
  bool fragment = false;       // more fragments follow, an offset, or (IPv6) any fragment header
  bool first_fragment = true;  // offset 0: body begins with the protocol's own header
  ByteView body;               // without link padding
};
// IPv4: version, header length, total length. The header checksum is the receiving kernel's affair.
std::optional<IpView> view_ipv4(ByteView payload);
// IPv6: at most kMaxExtensions headers (hop-by-hop, routing, fragment, AH, destination options,
// mobility, HIP, shim6), each inside the packet; ESP, no-next-header and unknown protocols end the
// walk. A first fragment must hold the whole chain (RFC 7112), else no view.
inline constexpr int kMaxExtensions = 8;
std::optional<IpView> view_ipv6(ByteView payload);

struct UdpView {
  std::uint16_t source_port = 0, destination_port = 0;
};
std::optional<UdpView> view_udp(ByteView body);

inline constexpr std::uint8_t kNdRouterSolicitation = 133;
inline constexpr std::uint8_t kNdRouterAdvertisement = 134;
inline constexpr std::uint8_t kNdNeighbourSolicitation = 135;
inline constexpr std::uint8_t kNdNeighbourAdvertisement = 136;
inline constexpr std::uint8_t kNdRedirect = 137;
constexpr bool is_nd_type(std::uint8_t icmp_type) {
  return icmp_type >= kNdRouterSolicitation && icmp_type <= kNdRedirect;
}

// A neighbour solicitation or advertisement (RFC 4861 4.3, 4.4). Options must fill the body
// exactly; a zero length, or a link-layer option that is not 8 bytes long, gives no view.
struct NeighbourView {
  std::uint8_t type = 0;
  IpAddress target;
  bool has_source_mac = false, has_target_mac = false;
  MacAddress source_mac, target_mac;  // the last of each kind
  bool repeated = false;              // an option of one kind came twice
};
std::optional<NeighbourView> view_neighbour(ByteView icmpv6_body);

// RFC 1071 over an IPv6 pseudo-header and `body`; the checksum field inside must be zero.
std::uint16_t ipv6_checksum(const IpAddress& source, const IpAddress& destination,
                            std::uint8_t protocol, ByteView body);

}  // namespace wattle
