// Fragments of several sessions, in any order, compared with all parts kept apart. Input, again and
// again: session u8, counter u8, length u16 (11 bits), so many bytes.
#include <algorithm>
#include <map>
#include <tuple>

#include "common/base/check.h"
#include "common/base/reader.h"
#include "cryptod/core/fragments.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wattle;
  using namespace wattle::cryptod;
  Reader in(ByteView(data, size));
  Reassembly all;
  std::map<std::tuple<std::uint8_t, std::uint64_t, std::uint8_t>, Bytes> parts;
  while (in.left() >= 4) {
    const std::uint8_t session = in.u8();
    const std::uint64_t counter = in.u8();
    const ByteView body = in.view(std::min<std::size_t>(in.u16() & 0x7ff, in.left()));
    const auto added = all.add(session, counter, body);
    const auto header = read_fragment(body);
    WATTLE_CHECK(header || added.verdict == Reassembly::Verdict::Malformed);
    if (!header || counter < header->index) continue;
    const std::uint64_t first = counter - header->index;
    parts[{session, first, header->index}] = to_bytes(body.subspan(kFragmentHeader));
    if (added.verdict != Reassembly::Verdict::Whole) continue;
    Bytes whole;
    for (std::uint8_t i = 0; i < header->count; ++i) {
      const Bytes& part = parts.at({session, first, i});
      whole.insert(whole.end(), part.begin(), part.end());
    }
    WATTLE_CHECK(added.type == header->type && whole.size() <= Reassembly::kMost);
    WATTLE_CHECK(equal(added.body, whole));
  }
  return 0;
}
