#include "metad/core/origin_line.h"

#include "common/base/hex.h"
#include "common/base/parse.h"

namespace wattle::metad {

bool says_the_same(const OriginRecord& one, const OriginRecord& other) {
  OriginRecord copy = other;
  copy.seqno = one.seqno;
  return one == copy;
}

Request print_origin(const SignedOrigin& origin) {
  const OriginRecord& r = origin.record;
  Request out;
  out.verb = Verb::AddHost;
  HostPort first;
  if (!r.endpoints.empty()) first.endpoint = r.endpoints.front();
  out.values = {Value(r.name), Value(first), Value(std::uint64_t{r.options})};
  out.keys.emplace_back("address", r.address.text());
  out.keys.emplace_back("seqno", std::to_string(r.seqno));
  out.keys.emplace_back("serial", std::to_string(r.serial));
  for (std::size_t i = 1; i < r.endpoints.size(); ++i)
    out.keys.emplace_back("ep", r.endpoints[i].text());
  out.keys.emplace_back("sig", to_base64(origin.signature));
  return out;
}

Result<SignedOrigin> parse_origin(const Request& add_host, const NetworkId& network) {
  const auto address = add_host.find("address"), sig = add_host.find("sig");
  if (!address || !sig) return Errc::NotFound;
  const auto seqno = add_host.find("seqno"), serial = add_host.find("serial");
  if (!seqno || !serial) return Errc::BadSyntax;
  SignedOrigin out;
  OriginRecord& r = out.record;
  r.network = network;
  r.name = add_host.text(0);
  if (!is_node_name(r.name)) return Errc::BadValue;
  r.address = WATTLE_TRY(parse_address_text(*address));
  r.seqno = WATTLE_TRY(parse_decimal(*seqno));
  r.serial = WATTLE_TRY(parse_decimal(*serial));
  r.options = static_cast<std::uint32_t>(add_host.number(2));
  if (const auto& first = std::get<HostPort>(add_host.values[1]).endpoint)
    r.endpoints.push_back(*first);
  for (const auto& [key, value] : add_host.keys) {
    if (key != "ep") continue;
    if (r.endpoints.empty() || r.endpoints.size() == kMaxEndpoints) return Errc::BadValue;
    r.endpoints.push_back(WATTLE_TRY(Endpoint::parse(value)));
  }
  const Bytes signature = WATTLE_TRY(parse_base64(*sig));
  if (signature.size() != out.signature.size()) return Errc::BadValue;
  out.signature = to_array<64>(signature);
  return out;
}

Result<ToldWay> parse_way(const Request& add_host) {
  const auto address = add_host.find("address"), seqno = add_host.find("seqno");
  const auto metric = add_host.find("metric"), route = add_host.find("route");
  const bool has_record = add_host.find("sig").has_value();
  if (!address || !seqno || (!has_record && !metric)) return Errc::NotFound;
  ToldWay out;
  out.destination = WATTLE_TRY(parse_address_text(*address));
  out.seqno = WATTLE_TRY(parse_decimal(*seqno));
  if (route) {
    const std::uint64_t older = WATTLE_TRY(parse_decimal(*route, out.seqno));
    if (!has_record) return Errc::BadValue;
    out.seqno = older;
  }
  if (!metric) {
    out.metric = 0;
  } else if (*metric != "-") {
    out.metric = static_cast<Metric>(WATTLE_TRY(parse_decimal(*metric, kUnreachable)));
  } else if (!has_record) {
    return Errc::BadValue;
  }
  return out;
}

}  // namespace wattle::metad
