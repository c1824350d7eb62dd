// A subnet as tinc of January 2001 writes it (protocols.md 1.5), `type,value`:
//   0,02:00:5e:10:00:01            a MAC address
//   1,a010100/ffffff00             IPv4 address and mask, hex without leading zeros
//   2,fd00:0:0:0:0:0:0:0/ffff:0:0:0:0:0:0:0   IPv6, eight groups and eight groups of mask
// Masks are contiguous and no host bit is set; anything else does not parse.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/net/ip_address.h"
#include "common/net/mac_address.h"

namespace wattle::metad {

struct Subnet {
  enum class Kind : std::uint8_t { Mac = 0, IPv4 = 1, IPv6 = 2 };
  Kind kind = Kind::Mac;
  MacAddress mac;   // Mac only
  IpPrefix prefix;  // IPv4 and IPv6

  auto operator<=>(const Subnet&) const = default;
  static Subnet of(const MacAddress& mac);
  static Subnet of(const IpPrefix& prefix);  // host bits are cleared
};

Result<Subnet> parse_subnet(std::string_view text);
std::string print_subnet(const Subnet& subnet);

}  // namespace wattle::metad
