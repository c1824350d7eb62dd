// A link's stream: whatever the bytes and however they arrive, lines and packets laid end to end
// are the stream again, and memory stays bounded.
#include "common/base/check.h"
#include "metad/core/stream_cutter.h"

using namespace wattle;         // NOLINT
using namespace wattle::metad;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t step = data[0] + std::size_t{1};
  const std::string_view stream = as_text({data + 1, size - 1});
  StreamCutter cutter(true);
  std::string joined;
  for (std::size_t at = 0; at < stream.size() && !cutter.overlong(); at += step) {
    cutter.feed(stream.substr(at, step));
    while (const auto piece = cutter.next()) {
      joined += piece->line + "\n";
      WATTLE_CHECK(piece->packet.size() <= kMaxCarried);
      WATTLE_CHECK(piece->packet.size() == packet_length(piece->line));
      joined += as_text(piece->packet);
    }
    WATTLE_CHECK(cutter.buffered() <= kMaxCarried + kMaxLine + step);
    WATTLE_CHECK(stream.starts_with(joined));
  }
  return 0;
}
