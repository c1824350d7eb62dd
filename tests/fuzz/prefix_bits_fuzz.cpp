// re6st's CN: what parses is what is written from its bits.
#include "common/proto/prefix_bits.h"

using namespace wattle;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view cn = as_text({data, size});
  const auto bits = bits_of_cn(cn);
  if (!bits) return 0;
  WATTLE_CHECK(cn_of_bits(*bits) == cn);
  const IpPrefix network = WATTLE_MUST(IpPrefix::parse("fd12:3456:789a::/48"));
  if (network.length + bits->size() > 128) return 0;
  const IpPrefix member = member_prefix(network, *bits);
  WATTLE_CHECK(WATTLE_MUST(member_bits(network, member)) == *bits);
  WATTLE_CHECK(network.contains(member.address) && member == member.network());
  return 0;
}
