#include "common/net/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>

#include "common/base/parse.h"

namespace wattle {
namespace {

// The first `length` bits of both are equal.
bool same_bits(ByteView a, ByteView b, std::size_t length) {
  const std::size_t whole = length / 8;
  if (!equal(a.first(whole), b.first(whole))) return false;
  if (length % 8 == 0) return true;
  return ((a[whole] ^ b[whole]) >> (8 - length % 8)) == 0;
}

bool starts_with(const IpAddress& a, std::uint8_t first, std::uint8_t second, std::size_t length) {
  return same_bits(a.bytes, ByteArray<2>{first, second}, length);
}

}  // namespace

bool IpAddress::is_unspecified() const {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes[0] == 127;
  return *this == v6({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
}

bool IpAddress::is_multicast() const {
  return is_v4() ? starts_with(*this, 0xe0, 0, 4) : bytes[0] == 0xff;
}

bool IpAddress::is_link_local() const {
  return is_v4() ? starts_with(*this, 169, 254, 16) : starts_with(*this, 0xfe, 0x80, 10);
}

bool IpAddress::is_private() const {
  if (!is_v4()) return starts_with(*this, 0xfc, 0, 7);
  return bytes[0] == 10 || starts_with(*this, 172, 16, 12) || starts_with(*this, 192, 168, 16) ||
         starts_with(*this, 100, 64, 10);
}

std::string IpAddress::text() const {
  char out[INET6_ADDRSTRLEN];
  WATTLE_CHECK(inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes.data(), out, sizeof out) != nullptr);
  return out;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  char copy[INET6_ADDRSTRLEN] = {};
  if (text.size() >= sizeof copy || text.find('\0') != std::string_view::npos)
    return Errc::BadSyntax;
  std::copy(text.begin(), text.end(), copy);
  IpAddress out;
  if (inet_pton(AF_INET, copy, out.bytes.data()) == 1) return out;
  out.family = 6;
  out.bytes = {};
  if (inet_pton(AF_INET6, copy, out.bytes.data()) == 1) return out;
  return Errc::BadSyntax;
}

IpAddress IpAddress::v4(ByteArray<4> b) {
  IpAddress out;
  std::copy(b.begin(), b.end(), out.bytes.begin());
  return out;
}

IpAddress IpAddress::v6(const ByteArray<16>& b) { return {6, b}; }

IpAddress IpAddress::link_local(const MacAddress& mac) {
  const ByteArray<6>& m = mac.bytes;
  return v6({0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(m[0] ^ 2), m[1], m[2], 0xff,
             0xfe, m[3], m[4], m[5]});
}

bool IpPrefix::contains(const IpAddress& a) const {
  return a.family == address.family && same_bits(a.bytes, address.bytes, length);
}

bool IpPrefix::overlaps(const IpPrefix& other) const {
  return other.address.family == address.family &&
         same_bits(other.address.bytes, address.bytes, std::min(length, other.length));
}

IpPrefix IpPrefix::network() const {
  IpPrefix out = *this;
  for (std::size_t bit = length; bit < address.size() * 8; ++bit)
    out.address.bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80u >> bit % 8));
  return out;
}

std::string IpPrefix::text() const { return address.text() + '/' + std::to_string(length); }

Result<IpPrefix> IpPrefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return Errc::BadSyntax;
  IpPrefix out;
  out.address = WATTLE_TRY(IpAddress::parse(text.substr(0, slash)));
  out.length = static_cast<std::uint8_t>(
      WATTLE_TRY(parse_decimal(text.substr(slash + 1), out.address.size() * 8)));
  return out;
}

}  // namespace wattle
