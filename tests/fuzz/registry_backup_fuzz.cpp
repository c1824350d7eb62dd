// A backup's manifest and its journal. First byte: which.
#include "registry/core/backup_manifest.h"
#include "registry/core/journal_chain.h"

using namespace wattle;
using namespace wattle::registry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView rest = ByteView(data, size).subspan(1);
  if (data[0] % 2 == 0) {
    const auto manifest = parse_backup_manifest(as_text(rest));
    if (!manifest) return 0;
    // What is read is what is written, but for the order of the files.
    const auto again = parse_backup_manifest(build_backup_manifest(*manifest));
    WATTLE_CHECK(again && again->files == manifest->files && again->head == manifest->head);
    return 0;
  }
  std::uint64_t seen = 0;
  const JournalChain chain = walk_journal(rest, [&seen](const Entry&) { ++seen; });
  WATTLE_CHECK(chain.end <= rest.size() && chain.entries == seen);
  WATTLE_CHECK((chain.tail == Tail::Clean) == (chain.end == rest.size()));
  return 0;
}
