#include "registry/core/journal_chain.h"

#include <algorithm>

namespace wattle::registry {

JournalChain walk_journal(ByteView bytes, const std::function<void(const Entry& entry)>& visit) {
  JournalChain out;
  while (out.end < bytes.size()) {
    const ByteView rest = bytes.subspan(out.end);
    const auto entry = decode_entry(rest, Secrets::Expected);
    if (!entry || entry->sequence != out.entries || entry->previous != out.last) {
      // A whole entry that does not follow is damage, whatever comes after it.
      out.tail = entry ? Tail::Damaged : judge_tail(rest, out.entries);
      return out;
    }
    if (visit) visit(*entry);
    ++out.entries;
    out.end += entry->size;
    out.last = entry->hash;
    out.time = entry->time;
  }
  return out;
}

Lineage compare_journals(ByteView first, ByteView second) {
  const std::size_t common = std::min(first.size(), second.size());
  if (!equal(first.first(common), second.first(common))) return Lineage::Parted;
  if (first.size() == second.size()) return Lineage::Same;
  return first.size() > second.size() ? Lineage::FirstLonger : Lineage::SecondLonger;
}

}  // namespace wattle::registry
