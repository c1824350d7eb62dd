// Endpoint information and probe bodies of a member: what is taken is built back to the same bytes.
#include "common/base/check.h"
#include "cryptod/core/endpoint_note.h"
#include "cryptod/core/probe_body.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wattle;
  using namespace wattle::cryptod;
  const ByteView body(data, size);
  if (const auto note = parse_endpoint_note(body)) {
    WATTLE_CHECK(!note->endpoints.empty() && note->endpoints.size() <= EndpointNote::kMost);
    WATTLE_CHECK(equal(build_endpoint_note(*note), body));
  }
  if (const auto probe = parse_probe(body)) {
    ByteArray<kProbeMost> out{};
    const std::size_t built = build_probe(*probe, out);
    WATTLE_CHECK(equal(ByteView(out).first(built), body));
  }
  return 0;
}
