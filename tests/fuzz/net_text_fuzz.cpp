// Addresses, prefixes and endpoints as text and as bytes: what parses survives a round trip.
#include "common/net/endpoint.h"

using namespace wattle;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text({data, size});
  if (const auto ip = IpAddress::parse(text))
    WATTLE_CHECK(WATTLE_MUST(IpAddress::parse(ip->text())) == *ip);
  if (const auto prefix = IpPrefix::parse(text)) {
    WATTLE_CHECK(WATTLE_MUST(IpPrefix::parse(prefix->text())) == *prefix);
    WATTLE_CHECK(prefix->contains(prefix->address));
    WATTLE_CHECK(prefix->network().overlaps(*prefix));
  }
  if (const auto endpoint = Endpoint::parse(text)) {
    WATTLE_CHECK(endpoint->port != 0);
    WATTLE_CHECK(WATTLE_MUST(Endpoint::parse(endpoint->text())) == *endpoint);
  }
  if (const auto mac = MacAddress::parse(text))
    WATTLE_CHECK(WATTLE_MUST(MacAddress::parse(mac->text())) == *mac);

  Reader in(ByteView(data, size));
  if (const auto endpoint = parse_endpoint(in)) {
    Bytes again;
    Writer writer(again);
    build_endpoint(writer, *endpoint);
    WATTLE_CHECK(equal(again, ByteView(data, size - in.left())));
  }
  return 0;
}
