// The text of /proc/net/route.
#include "registry/core/route_table.h"
#include "tests/support/seeded_random.h"

using namespace wattle;
using namespace wattle::registry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(ByteView(data, size));
  const auto taken = route_destinations(text);
  static_cast<void>(default_route_device(text));
  SeededRandom random(size);
  const auto block = random_ipv4_block(random, taken);
  if (!block) return 0;
  for (const IpPrefix& t : taken) WATTLE_CHECK(!t.overlaps(*block));
  return 0;
}
