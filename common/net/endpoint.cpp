#include "common/net/endpoint.h"

#include <algorithm>

#include "common/base/parse.h"

namespace wattle {
namespace {

constexpr std::uint8_t kUdp4 = 2;
constexpr std::uint8_t kUdp6 = 3;

}  // namespace

std::string Endpoint::text() const {
  const std::string host = address.is_v4() ? address.text() : '[' + address.text() + ']';
  return host + ':' + std::to_string(port);
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Errc::BadSyntax;
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  Endpoint out;
  out.address = WATTLE_TRY(IpAddress::parse(host));
  if (out.address.is_v4() == bracketed) return Errc::BadSyntax;
  out.port = static_cast<std::uint16_t>(WATTLE_TRY(parse_decimal(text.substr(colon + 1), 65535)));
  if (out.port == 0) return Errc::BadValue;
  return out;
}

void build_endpoint(Writer& out, const Endpoint& endpoint) {
  out.u8(endpoint.address.is_v4() ? kUdp4 : kUdp6);
  out.bytes(endpoint.address.view()).u16(endpoint.port);
}

Result<Endpoint> parse_endpoint(Reader& in) {
  const std::uint8_t type = in.u8();
  if (!in.ok()) return Errc::Truncated;
  if (type != kUdp4 && type != kUdp6) return Errc::BadValue;
  Endpoint out;
  out.address.family = type == kUdp4 ? 4 : 6;
  const ByteView bytes = in.view(out.address.size());
  std::copy(bytes.begin(), bytes.end(), out.address.bytes.begin());
  out.port = in.u16();
  if (!in.ok()) return Errc::Truncated;
  if (out.port == 0) return Errc::BadValue;
  return out;
}

}  // namespace wattle
