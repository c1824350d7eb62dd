// Where a datagram can be sent: an IP address and a UDP (or TCP) port. Binary form as in Anode
// (protocols.md 4.4): 02 ip4[4] port[2] UDP/IPv4, 03 ip6[16] port[2] UDP/IPv6.
#pragma once

#include <string>
#include <string_view>

#include "common/base/reader.h"
#include "common/base/writer.h"
#include "common/net/ip_address.h"

namespace wattle {

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  auto operator<=>(const Endpoint&) const = default;
  std::string text() const;                              // 1.2.3.4:8737, [fd00::1]:8737
  static Result<Endpoint> parse(std::string_view text);  // the same forms; port 1..65535
};

void build_endpoint(Writer& out, const Endpoint& endpoint);
Result<Endpoint> parse_endpoint(Reader& in);

}  // namespace wattle
