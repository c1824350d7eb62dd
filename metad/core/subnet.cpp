#include "metad/core/subnet.h"

#include <array>
#include <cstdio>

#include "common/base/parse.h"

namespace wattle::metad {
namespace {

using Groups = ByteArray<16>;

Result<Groups> parse_groups(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 8) return Errc::BadSyntax;
  Groups out{};
  for (std::size_t i = 0; i < 8; ++i) {
    const std::uint64_t group = WATTLE_TRY(parse_hex_number(parts[i], 0xffff));
    out[2 * i] = static_cast<std::uint8_t>(group >> 8);
    out[2 * i + 1] = static_cast<std::uint8_t>(group);
  }
  return out;
}

std::string print_groups(ByteView bytes) {
  std::string out;
  for (std::size_t i = 0; i < 8; ++i) {
    std::array<char, 8> group{};
    std::snprintf(group.data(), group.size(), "%s%x", i == 0 ? "" : ":",
                  static_cast<unsigned>(bytes[2 * i] << 8 | bytes[2 * i + 1]));
    out += group.data();
  }
  return out;
}

// The number of leading ones; BadValue if a one follows a zero.
Result<std::uint8_t> mask_length(ByteView mask) {
  std::uint8_t length = 0;
  bool ended = false;
  for (const std::uint8_t byte : mask)
    for (int bit = 7; bit >= 0; --bit) {
      const bool one = ((byte >> bit) & 1) != 0;
      if (one && ended) return Errc::BadValue;
      if (one) ++length;
      ended = ended || !one;
    }
  return length;
}

ByteArray<16> mask_bytes(std::uint8_t length) {
  ByteArray<16> out{};
  for (std::size_t bit = 0; bit < length; ++bit)
    out[bit / 8] = static_cast<std::uint8_t>(out[bit / 8] | 0x80 >> (bit % 8));
  return out;
}

ByteArray<4> four(std::uint64_t value) {
  return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
          static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

unsigned number(ByteView b) {
  return static_cast<unsigned>(b[0]) << 24 | static_cast<unsigned>(b[1]) << 16 |
         static_cast<unsigned>(b[2]) << 8 | b[3];
}

Result<Subnet> prefix_of(const IpAddress& address, ByteView mask) {
  const IpPrefix prefix{address, WATTLE_TRY(mask_length(mask))};
  if (prefix.network() != prefix) return Errc::BadValue;  // host bits
  return Subnet::of(prefix);
}

}  // namespace

Subnet Subnet::of(const MacAddress& mac) {
  Subnet out;
  out.mac = mac;
  return out;
}

Subnet Subnet::of(const IpPrefix& prefix) {
  Subnet out;
  out.kind = prefix.address.is_v4() ? Kind::IPv4 : Kind::IPv6;
  out.prefix = prefix.network();
  return out;
}

Result<Subnet> parse_subnet(std::string_view text) {
  if (text.size() < 3 || text[1] != ',') return Errc::BadSyntax;
  const std::string_view value = text.substr(2);
  if (text[0] == '0') return Subnet::of(WATTLE_TRY(MacAddress::parse(value)));
  const std::size_t slash = value.find('/');
  if (slash == std::string_view::npos) return Errc::BadSyntax;
  const std::string_view left = value.substr(0, slash), right = value.substr(slash + 1);
  if (text[0] == '1') {
    const auto address = four(WATTLE_TRY(parse_hex_number(left, 0xffffffff)));
    const auto mask = four(WATTLE_TRY(parse_hex_number(right, 0xffffffff)));
    return prefix_of(IpAddress::v4(address), mask);
  }
  if (text[0] == '2') {
    const Groups address = WATTLE_TRY(parse_groups(left));
    const Groups mask = WATTLE_TRY(parse_groups(right));
    return prefix_of(IpAddress::v6(address), mask);
  }
  return Errc::BadSyntax;
}

std::string print_subnet(const Subnet& subnet) {
  if (subnet.kind == Subnet::Kind::Mac) return "0," + subnet.mac.text();
  const ByteArray<16> mask = mask_bytes(subnet.prefix.length);
  if (subnet.kind == Subnet::Kind::IPv4) {
    std::array<char, 32> out{};
    std::snprintf(out.data(), out.size(), "1,%x/%x", number(subnet.prefix.address.view()),
                  number(mask));
    return out.data();
  }
  return "2," + print_groups(subnet.prefix.address.view()) + "/" + print_groups(mask);
}

}  // namespace wattle::metad
