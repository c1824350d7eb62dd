#include "metad/core/trace_gate.h"

#include <utility>

#include "common/proto/line.h"

namespace wattle::metad {

std::vector<std::string> TraceGate::pass(std::string line, std::size_t waiting) {
  if (waiting > kMaxWaiting) {
    ++lost_;
    ++untold_;
    return {};
  }
  ++passed_;
  std::vector<std::string> out;
  if (untold_ != 0) out.push_back("INFO lost count=" + std::to_string(std::exchange(untold_, 0)));
  out.push_back(std::move(line));
  return out;
}

std::string TraceGate::end() {
  const std::string out =
      "INFO traced lines=" + std::to_string(passed_) + " lost=" + std::to_string(lost_);
  *this = {};
  return out;
}

std::string print_traced(std::string_view link, bool in, std::uint64_t unix_ms,
                         std::string_view line) {
  std::string out = "INFO line link=" + std::string(link) + (in ? " dir=in" : " dir=out") +
                    " at=" + std::to_string(unix_ms) + " ";
  // A line that is not printable has not been one; it is counted, and shown as far as it goes.
  for (const char c : line) {
    if (out.size() == kMaxLine - 1) {
      out.replace(out.size() - 3, 3, "...");
      break;
    }
    out.push_back(c >= 0x20 && c < 0x7f ? c : '?');
  }
  return out;
}

}  // namespace wattle::metad
