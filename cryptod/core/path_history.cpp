#include "cryptod/core/path_history.h"

#include <algorithm>

namespace wattle::cryptod {

void PathHistory::add(Instant now, std::string sentence) {
  const auto same = std::find_if(entries_.begin(), entries_.end(),
                                 [&](const Entry& e) { return e.sentence == sentence; });
  std::uint32_t times = 1;
  if (same != entries_.end()) {
    times += same->times;
    entries_.erase(same);
  }
  if (entries_.size() == kKept) entries_.erase(entries_.begin());
  entries_.push_back({now, std::move(sentence), times});
}

std::vector<meta_link::Decision> PathHistory::list(Instant now, UnixTime unix_now) const {
  std::vector<meta_link::Decision> out;
  for (const Entry& entry : entries_) {
    const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(now - entry.at).count();
    const std::uint64_t back = age > 0 ? static_cast<std::uint64_t>(age) : 0;
    const std::uint64_t at = unix_now.seconds * 1000;
    std::string text = entry.sentence;
    if (entry.times > 1) text += " (" + std::to_string(entry.times) + " times)";
    out.push_back({at > back ? at - back : 0, std::move(text)});
  }
  return out;
}

}  // namespace wattle::cryptod
