// keyd's counter file: two slots from the halves of the input, as they are and with checksums set
// right (a fuzzer cannot find those).
#include <algorithm>

#include "common/base/check.h"
#include "common/crypto/digest.h"
#include "cryptod/keys/counter_slot.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wattle;
  using namespace wattle::keys;
  const ByteView all(data, size);
  const ByteView halves[2] = {all.first(size / 2), all.subspan(size / 2)};
  SlotBytes sealed[2] = {};
  for (int i = 0; i < 2; ++i) {
    std::copy_n(halves[i].begin(), std::min<std::size_t>(halves[i].size(), 480), sealed[i].begin());
    const auto sum = crypto::sha256(ByteView(sealed[i]).first(480));
    std::copy(sum.begin(), sum.end(), sealed[i].begin() + 480);
    for (const ByteView slot : {halves[i], ByteView(sealed[i])})
      if (const auto counters = parse_slot(slot)) WATTLE_CHECK(equal(build_slot(*counters), slot));
  }
  const Loaded raw = load_slots(halves[0], halves[1]);
  const Loaded loaded = load_slots(sealed[0], sealed[1]);
  for (const Loaded& l : {raw, loaded}) {
    const bool known = l.health == Health::Good || l.health == Health::OneDamaged;
    WATTLE_CHECK(known == (l.counters.generation != 0));
  }
  for (const SlotBytes& slot :
       sealed) {  // whatever is valid and in its place is never fallen short of
    const auto counters = parse_slot(slot);
    const bool in_place = counters && &slot == &sealed[counters->generation % 2];
    if (in_place) WATTLE_CHECK(loaded.counters.generation >= counters->generation);
  }
  return 0;
}
