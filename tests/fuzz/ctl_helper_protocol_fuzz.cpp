// The framed messages between `wattle join` and its helpers, all four kinds. What parses is built
// again and must be the same bytes.
#include <cstdlib>

#include "metad/ctl/check_protocol.h"
#include "metad/ctl/fetch_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wattle;
  using namespace wattle::ctl;
  const auto body = unframe_message(ByteView(data, size));
  if (!body) return 0;
  const auto must_be_same = [&body](const Bytes& built) {
    if (!equal(built, *body)) std::abort();
  };
  if (const auto request = parse_fetch_request(*body)) must_be_same(build_fetch_request(*request));
  if (const auto answer = parse_fetch_answer(*body)) must_be_same(build_fetch_answer(*answer));
  if (const auto request = parse_check_request(*body)) must_be_same(build_check_request(*request));
  if (const auto answer = parse_check_answer(*body)) {
    // Bits after an IPv4 or IPv6 address cannot differ; all fields are fixed.
    must_be_same(build_check_answer(*answer));
    if (answer->outcome == CheckOutcome::Member && answer->name.empty()) std::abort();
  }
  return 0;
}
