#include "common/proto/prefix_bits.h"

#include <algorithm>

#include "common/base/parse.h"

namespace wattle {
namespace {

constexpr std::size_t kMaxBits = 128;
__extension__ using Number = unsigned __int128;

bool bit_at(const IpAddress& address, std::size_t bit) {
  return (address.bytes[bit / 8] >> (7 - bit % 8) & 1) != 0;
}

Number value_of(std::string_view bits) {
  Number value = 0;
  for (const char c : bits) value = value << 1 | (c == '1' ? 1 : 0);
  return value;
}

// Canonical decimal below 2^128.
Result<Number> parse_big_decimal(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text[0] == '0')) return Errc::BadSyntax;
  Number value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return Errc::BadSyntax;
    const Number digit = static_cast<Number>(c - '0');
    if (value > (~Number{0} - digit) / 10) return Errc::BadValue;
    value = value * 10 + digit;
  }
  return value;
}

std::string decimal(Number value) {
  std::string out;
  do {
    out.push_back(static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value != 0);
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace

std::string bits_of(const IpPrefix& prefix) {
  std::string out;
  for (std::size_t bit = 0; bit < prefix.length; ++bit)
    out.push_back(bit_at(prefix.address, bit) ? '1' : '0');
  return out;
}

Result<std::string> bits_of_cn(std::string_view cn) {
  const std::size_t slash = cn.find('/');
  if (slash == std::string_view::npos) return Errc::BadSyntax;
  const std::string_view count = cn.substr(slash + 1);
  if (count.starts_with('0')) return Errc::BadSyntax;
  const std::size_t length = WATTLE_TRY(parse_decimal(count, kMaxBits));
  const Number value = WATTLE_TRY(parse_big_decimal(cn.substr(0, slash)));
  if (length < kMaxBits && value >> length != 0) return Errc::BadValue;
  std::string out(length, '0');
  for (std::size_t i = 0; i < length; ++i)
    if ((value >> (length - 1 - i) & 1) != 0) out[i] = '1';
  return out;
}

std::string cn_of_bits(std::string_view bits) {
  WATTLE_CHECK(!bits.empty() && bits.size() <= kMaxBits);
  return decimal(value_of(bits)) + '/' + std::to_string(bits.size());
}

IpPrefix member_prefix(const IpPrefix& network, std::string_view bits) {
  WATTLE_CHECK(network.length + bits.size() <= network.address.size() * 8);
  IpPrefix out = network.network();
  for (const char c : bits) {
    if (c == '1')
      out.address.bytes[out.length / 8] |= static_cast<std::uint8_t>(0x80 >> out.length % 8);
    ++out.length;
  }
  return out;
}

Result<std::string> member_bits(const IpPrefix& network, const IpPrefix& prefix) {
  if (prefix.length <= network.length || !network.contains(prefix.address)) return Errc::NotFound;
  return bits_of(prefix).substr(network.length);
}

std::string ca_serial_hex(const IpPrefix& network) {
  std::string bits = '1' + bits_of(network);
  bits.insert(0, (4 - bits.size() % 4) % 4, '0');
  std::string out;
  for (std::size_t at = 0; at < bits.size(); at += 4)
    out.push_back("0123456789abcdef"[static_cast<std::size_t>(
        value_of(std::string_view(bits).substr(at, 4)))]);
  return out;
}

}  // namespace wattle
