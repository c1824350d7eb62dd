// The kernel's IPv4 routes as /proc/net/route shows them, and the choice of a block for a new
// network that clashes with none. Pure: text and randomness come in as parameters.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/random.h"
#include "common/base/result.h"
#include "common/net/ip_address.h"

namespace wattle::registry {

// Destinations of all routes but default ones; lines that do not parse are passed over.
std::vector<IpPrefix> route_destinations(std::string_view proc_net_route);
// The device of the (first) default route; empty if there is none.
std::string default_route_device(std::string_view proc_net_route);

// A random /22 of 10/8 that overlaps none of `taken`; Full if 4096 draws found none.
Result<IpPrefix> random_ipv4_block(Random& random, const std::vector<IpPrefix>& taken);
// A random ULA /48 (RFC 4193: fd and 40 random bits).
IpPrefix random_ula(Random& random);

}  // namespace wattle::registry
