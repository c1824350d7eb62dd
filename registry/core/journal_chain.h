// A journal's bytes walked from the beginning, without judging what the entries say (the signer's
// ledger does): how far they hang together. Pure.
#pragma once

#include <functional>

#include "registry/core/journal_entry.h"

namespace wattle::registry {

struct JournalChain {
  std::uint64_t entries = 0;  // that hang together
  std::size_t end = 0;        // bytes of these
  crypto::Hash last{};        // hash of the last of them
  UnixTime time;              // likewise
  Tail tail = Tail::Clean;    // what follows them
};

// `visit`, if given, sees each entry that hangs together with those before it.
JournalChain walk_journal(ByteView bytes,
                          const std::function<void(const Entry& entry)>& visit = nullptr);

// How two journals of one network stand to each other, judged by their good bytes.
enum class Lineage { Same, FirstLonger, SecondLonger, Parted };
Lineage compare_journals(ByteView first, ByteView second);

}  // namespace wattle::registry
