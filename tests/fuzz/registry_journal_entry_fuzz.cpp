// A journal's bytes: whatever decodes is encoded to the same bytes again, and a tail is judged
// without reading past its end.
#include "registry/core/journal_entry.h"

using namespace wattle;
using namespace wattle::registry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  for (const Secrets secrets : {Secrets::Expected, Secrets::Removed}) {
    auto entry = decode_entry(bytes, secrets);
    if (!entry) continue;
    WATTLE_CHECK(entry->size <= size);
    Bytes again = build_entry(*entry);
    if (secrets == Secrets::Removed) again = without_secret(again);
    WATTLE_CHECK(equal(again, bytes.first(again.size())));
  }
  static_cast<void>(judge_tail(bytes, size % 7));
  return 0;
}
