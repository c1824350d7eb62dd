// re6st's prefix arithmetic (protocols.md 2.2): a member's prefix inside the network as a string of
// '0' and '1'; CN = decimal(value)/length; the CA's serial is `1` followed by the network's bits.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/net/ip_address.h"

namespace wattle {

std::string bits_of(const IpPrefix& prefix);          // its first `length` bits
Result<std::string> bits_of_cn(std::string_view cn);  // "2/16" -> 16 characters
std::string cn_of_bits(std::string_view bits);        // and back
IpPrefix member_prefix(const IpPrefix& network, std::string_view bits);
// The member's bits inside the network; NotFound if prefix is not inside it.
Result<std::string> member_bits(const IpPrefix& network, const IpPrefix& prefix);
std::string ca_serial_hex(const IpPrefix& network);  // "1" + bits, as hex

}  // namespace wattle
