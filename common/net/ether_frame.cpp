#include "common/net/ether_frame.h"

#include "common/base/reader.h"

namespace wattle {

namespace {

constexpr std::uint8_t kHopByHop = 0, kRouting = 43, kFragment = 44, kAuthentication = 51,
                       kDestinationOptions = 60, kMobility = 135, kHip = 139, kShim6 = 140;

bool is_extension(std::uint8_t protocol) {
  switch (protocol) {
    case kHopByHop:
    case kRouting:
    case kFragment:
    case kAuthentication:
    case kDestinationOptions:
    case kMobility:
    case kHip:
    case kShim6:
      return true;
    default:
      return false;
  }
}

MacAddress read_mac(Reader& in) { return MacAddress{in.array<6>()}; }

}  // namespace

std::optional<EtherView> view_ether(ByteView frame) {
  Reader in(frame);
  EtherView view;
  view.destination = read_mac(in);
  view.source = read_mac(in);
  view.type = in.u16();
  view.payload = in.rest();
  if (!in.ok()) return std::nullopt;
  return view;
}

bool is_vlan_type(std::uint16_t ether_type) {
  return ether_type == 0x8100 || ether_type == 0x88a8 || ether_type == 0x9100 ||
         ether_type == 0x9200 || ether_type == 0x9300;
}

std::optional<ArpView> view_arp(ByteView payload) {
  Reader in(payload);
  const bool ethernet = in.u16() == 1;
  const bool ipv4 = in.u16() == kEtherIpv4;
  const bool sizes = in.u8() == 6 && in.u8() == 4;
  ArpView view;
  view.operation = in.u16();
  view.sender_mac = read_mac(in);
  view.sender = IpAddress::v4(in.array<4>());
  view.target_mac = read_mac(in);
  view.target = IpAddress::v4(in.array<4>());
  if (!in.ok() || !ethernet || !ipv4 || !sizes) return std::nullopt;
  return view;
}

std::optional<IpView> view_ipv4(ByteView payload) {
  Reader in(payload);
  const std::uint8_t version_length = in.u8();
  in.skip(1);
  const std::size_t total = in.u16();
  in.skip(2);
  const std::uint16_t fragment = in.u16();
  IpView view;
  view.hop_limit = in.u8();
  view.protocol = in.u8();
  in.skip(2);
  view.source = IpAddress::v4(in.array<4>());
  view.destination = IpAddress::v4(in.array<4>());
  if (!in.ok() || version_length >> 4 != 4) return std::nullopt;
  const std::size_t header = std::size_t{version_length & 15u} * 4;
  if (header < 20 || total < header || total > payload.size()) return std::nullopt;
  if ((fragment & 0x8000) != 0) return std::nullopt;  // the reserved bit
  view.fragment = (fragment & 0x3fff) != 0;
  view.first_fragment = (fragment & 0x1fff) == 0;
  view.body = payload.subspan(header, total - header);
  return view;
}

std::optional<IpView> view_ipv6(ByteView payload) {
  Reader in(payload);
  const std::uint32_t version = in.u32() >> 28;
  const std::size_t length = in.u16();
  IpView view;
  view.protocol = in.u8();
  view.hop_limit = in.u8();
  view.source = IpAddress::v6(in.array<16>());
  view.destination = IpAddress::v6(in.array<16>());
  if (!in.ok() || version != 6 || length > in.left()) return std::nullopt;

  Reader chain(in.view(length));
  int headers = 0;
  while (view.first_fragment && is_extension(view.protocol)) {
    if (++headers > kMaxExtensions) return std::nullopt;
    const std::uint8_t kind = view.protocol;
    view.protocol = chain.u8();
    const std::size_t units = chain.u8();
    if (kind == kFragment) {
      view.fragment = true;
      view.first_fragment = (chain.u16() >> 3) == 0;
      chain.skip(4);
    } else if (kind == kAuthentication) {
      chain.skip(units * 4 + 6);  // RFC 4302: length in words, minus two
    } else {
      chain.skip(units * 8 + 6);
    }
    if (!chain.ok()) return std::nullopt;
  }
  view.body = chain.rest();
  return view;
}

std::optional<UdpView> view_udp(ByteView body) {
  Reader in(body);
  UdpView view;
  view.source_port = in.u16();
  view.destination_port = in.u16();
  in.skip(4);
  if (!in.ok()) return std::nullopt;
  return view;
}

std::optional<NeighbourView> view_neighbour(ByteView icmpv6_body) {
  Reader in(icmpv6_body);
  NeighbourView view;
  view.type = in.u8();
  const std::uint8_t code = in.u8();
  in.skip(2 + 4);  // checksum, flags
  view.target = IpAddress::v6(in.array<16>());
  const bool known =
      view.type == kNdNeighbourSolicitation || view.type == kNdNeighbourAdvertisement;
  if (!in.ok() || !known || code != 0) return std::nullopt;

  while (in.left() != 0) {
    const std::uint8_t kind = in.u8();
    const std::size_t units = in.u8();
    if (units == 0) return std::nullopt;
    Reader option(in.view(units * 8 - 2));
    if (!in.ok()) return std::nullopt;
    if (kind != 1 && kind != 2) continue;
    if (units != 1) return std::nullopt;
    bool& seen = kind == 1 ? view.has_source_mac : view.has_target_mac;
    view.repeated = view.repeated || seen;
    seen = true;
    (kind == 1 ? view.source_mac : view.target_mac) = read_mac(option);
  }
  return view;
}

std::uint16_t ipv6_checksum(const IpAddress& source, const IpAddress& destination,
                            std::uint8_t protocol, ByteView body) {
  std::uint64_t sum = body.size() + protocol;
  const auto add = [&sum](ByteView bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i)
      sum += i % 2 == 0 ? std::uint64_t{bytes[i]} << 8 : bytes[i];
  };
  add(source.bytes);
  add(destination.bytes);
  add(body);
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  const auto folded = static_cast<std::uint16_t>(~sum);
  return protocol == kProtocolUdp && folded == 0 ? std::uint16_t{0xffff} : folded;
}

}  // namespace wattle
