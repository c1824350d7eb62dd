// rtnetlink messages as bytes: what tapd asks the kernel, and how it reads the answers. Pure
// (libmnl's attribute helpers only); answers are bounds-checked, so a short or odd one is dropped.
// Addresses that tapd sets carry kAddressProtocol (IFA_PROTO), so that it can tell its own from an
// administrator's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/net/ip_address.h"
#include "common/net/mac_address.h"

namespace wattle::tapd {

inline constexpr std::uint8_t kAddressProtocol = 0x77;
inline constexpr std::uint32_t kQueueLength = 4096;

// ---- requests: each asks for an acknowledgement; dumps end with NLMSG_DONE ----------------------

Bytes build_link_dump(std::uint32_t sequence);
Bytes build_address_dump(std::uint32_t sequence);
// MAC, MTU and queue length of a link.
Bytes build_link_change(std::uint32_t sequence, std::uint32_t index, const MacAddress& mac,
                        std::uint16_t mtu);
// No addresses from the kernel: addrgenmode none.
Bytes build_no_autoconf(std::uint32_t sequence, std::uint32_t index);
Bytes build_link_up(std::uint32_t sequence, std::uint32_t index);
// Added or, if it is there, renewed; IPv6 without duplicate address detection.
Bytes build_address_add(std::uint32_t sequence, std::uint32_t index, const IpPrefix& address);
Bytes build_address_remove(std::uint32_t sequence, std::uint32_t index, const IpPrefix& address);

// ---- answers ------------------------------------------------------------------------------------

struct LinkInfo {
  std::uint32_t index = 0;
  std::uint32_t flags = 0;  // IFF_*
  std::string name;
};

struct AddressInfo {
  std::uint32_t index = 0;
  std::uint32_t flags = 0;  // IFA_F_*
  std::uint8_t scope = 0;
  std::uint8_t protocol = 0;
  IpPrefix address;
};

// What one datagram from the kernel holds that belongs to `sequence`.
struct Answer {
  std::vector<LinkInfo> links;
  std::vector<AddressInfo> addresses;
  bool done = false;         // acknowledgement or end of a dump seen
  bool interrupted = false;  // the dump changed while it was read: ask again
  int error = 0;             // errno of a refusal
};
Answer parse_answer(ByteView datagram, std::uint32_t sequence);

// Is there word in this notification that link `index` went away?
bool tells_link_gone(ByteView datagram, std::uint32_t index);

// This host's own unicast addresses that a peer might reach: links that are up, not loopback, not
// ours (`own` and every other wt-* card); no tentative, deprecated, loopback or IPv6 link-local
// address. Sorted, without doubles, at most kMaxLocalAddresses.
inline constexpr std::size_t kMaxLocalAddresses = 256;
std::vector<IpAddress> reachable_addresses(const std::vector<LinkInfo>& links,
                                           const std::vector<AddressInfo>& addresses,
                                           std::uint32_t own);

}  // namespace wattle::tapd
