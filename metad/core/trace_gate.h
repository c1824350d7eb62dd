// What one reader of TRACE gets: lines while it reads, none while too much waits for it; the loss
// is told with the next line that passes. So a reader that stands still costs kMaxWaiting bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wattle::metad {

class TraceGate {
 public:
  static constexpr std::size_t kMaxWaiting = 256 * 1024;  // bytes

  // What to write now for this line, `waiting` bytes being written and not yet read.
  std::vector<std::string> pass(std::string line, std::size_t waiting);
  // The last words, with both counts; the gate begins anew.
  std::string end();

 private:
  std::uint64_t passed_ = 0, lost_ = 0, untold_ = 0;
};

// `INFO line link=NAME dir=in at=UNIX-MS LINE`, cut to what a line may have.
std::string print_traced(std::string_view link, bool in, std::uint64_t unix_ms,
                         std::string_view line);

}  // namespace wattle::metad
