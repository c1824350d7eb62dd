// IPv4 and IPv6 addresses and prefixes as values; text as inet_pton reads it (no zone, no
// brackets).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/net/mac_address.h"

namespace wattle {

// 4 or 6; the first four or all sixteen of `bytes` count, the rest is zero.
struct IpAddress {
  std::uint8_t family = 4;
  ByteArray<16> bytes{};

  auto operator<=>(const IpAddress&) const = default;
  bool is_v4() const { return family == 4; }
  std::size_t size() const { return is_v4() ? 4 : 16; }
  ByteView view() const { return ByteView(bytes).first(size()); }
  bool is_unspecified() const;
  bool is_loopback() const;
  bool is_multicast() const;
  bool is_link_local() const;  // 169.254/16, fe80::/10
  bool is_private() const;     // RFC 1918, RFC 6598, fc00::/7
  std::string text() const;
  static Result<IpAddress> parse(std::string_view text);
  static IpAddress v4(ByteArray<4> b);
  static IpAddress v6(const ByteArray<16>& b);
  // fe80::/64 with the modified EUI-64 of `mac` (RFC 4291 appendix A).
  static IpAddress link_local(const MacAddress& mac);
};

// An address with a prefix length. `contains` compares the first `length` bits.
struct IpPrefix {
  IpAddress address;
  std::uint8_t length = 0;

  auto operator<=>(const IpPrefix&) const = default;
  bool contains(const IpAddress& a) const;
  bool overlaps(const IpPrefix& other) const;
  IpPrefix network() const;                              // host bits cleared
  std::string text() const;                              // 10.1.0.0/22
  static Result<IpPrefix> parse(std::string_view text);  // length within the family's range
};

}  // namespace wattle
