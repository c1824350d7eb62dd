// The body of a probe (inner type 4): nonce 8 || 0 the question; nonce 8 || 1 the answer, then how
// the answerer sees the asker, if the question came straight (Anode's endpoint). It is EPC_REQ, EPC
// and NETID of Anode in one.
#pragma once

#include <optional>

#include "common/net/endpoint.h"

namespace wattle::cryptod {

inline constexpr std::size_t kProbeQuestion = 9;
inline constexpr std::size_t kProbeMost = kProbeQuestion + 19;  // an answer with an IPv6 endpoint

struct ProbeBody {
  std::uint64_t nonce = 0;
  bool answer = false;
  std::optional<Endpoint> seen;  // only in an answer

  auto operator<=>(const ProbeBody&) const = default;
};

std::optional<ProbeBody> parse_probe(ByteView body);
// Writes at most kProbeMost bytes and says how many.
std::size_t build_probe(const ProbeBody& probe, MutableBytes out);

}  // namespace wattle::cryptod
