// The registry's answer to POST /NET/origin: {"document_version":N,"peers":[{"name","address",
// "endpoints":["1.2.3.4:8737"]}]}, peers as in its answer to a join. Two members that join at the
// same moment learn of each other here. Hints only: where to dial, nothing more. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "metad/core/setup.h"

namespace wattle::metad {

inline constexpr std::size_t kMaxAnsweredPeers = 16;

// BadSyntax if it is not such an object. A peer that does not parse is left out; those over
// kMaxAnsweredPeers, too. No "peers": none.
Result<std::vector<PeerHint>> parse_origin_answer(std::string_view body);

}  // namespace wattle::metad
