// The registry's answer to an origin post: any bytes; what comes out keeps its bounds.
#include "common/base/parse.h"
#include "common/proto/origin_record.h"
#include "metad/core/origin_answer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto peers =
      wattle::metad::parse_origin_answer({reinterpret_cast<const char*>(data), size});
  if (!peers) return 0;
  WATTLE_CHECK(peers->size() <= wattle::metad::kMaxAnsweredPeers);
  for (const auto& peer : *peers) {
    WATTLE_CHECK(wattle::is_node_name(peer.name));
    WATTLE_CHECK(peer.endpoints.size() <= wattle::kMaxEndpoints);
  }
  return 0;
}
