// What the signer makes of the loss of its journal (`wattle-signer lost`): the journal before it is
// a backup's, and what came after that is known by traces only. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "registry/signer/ledger.h"

namespace wattle::signer {

struct Traces {
  std::optional<NetworkDocument> document;  // that a member held; verified
  std::vector<registry::Entry> entries;     // found behind damage, without secrets; oldest first
};

inline constexpr std::uint64_t kVersionGap = std::uint64_t{1} << 20;  // of documents
inline constexpr std::uint64_t kSerialGap = std::uint64_t{1} << 20;   // above the clock, ms

// A document above every version that is known by kVersionGap, a serial above all known ones and
// the clock; of the addresses above the highest one known the lower half is set aside, because
// allocation goes upwards.
registry::LostEntry plan_loss(const Ledger& ledger, const Traces& traces, std::uint64_t now_ms);

// Members of the ledger that were thrown out after it, by the traces.
std::vector<NodeAddress> revoked_since(const Ledger& ledger, const Traces& traces);

// What the next document is to say: the newest parameters and all revocations of the traces.
NetworkDocument wish_document(const Ledger& ledger, const Traces& traces);

// What is lost and what is not, for a person: lines that begin with two blanks. `before`: the
// ledger as the backup had it; `after`: with all that was recorded.
std::string describe_loss(const Ledger& before, const Ledger& after, const Traces& traces,
                          UnixTime now);

}  // namespace wattle::signer
