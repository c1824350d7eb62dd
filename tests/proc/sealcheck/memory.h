// The memory of a process, as root sees it: which parts are guarded, where a secret stands.
#pragma once

#include <sys/types.h>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/bytes.h"

namespace wattle::sealcheck {

struct Region {
  std::uint64_t from = 0, to = 0;
  std::string rights, name;        // "rw-p", "[heap]"
  std::vector<std::string> flags;  // of smaps: "lo" locked, "dd" not dumped, "wf" wiped on fork
  bool has(const char* flag) const;
  bool is_guarded() const { return has("lo") && has("dd") && has("wf"); }
};
std::vector<Region> regions_of(pid_t pid);

struct Places {
  std::size_t guarded = 0;          // hits inside guarded regions
  std::vector<std::string> others;  // hits anywhere else: address and name of the region
};
// Where a pattern stands in its readable memory, the pages of files it cannot write excepted.
Places find_in_memory(pid_t pid, ByteView pattern);

// The key schedules of AES-256 in its memory (240 bytes each, told by their structure), without
// doubles.
std::vector<Bytes> aes_schedules(pid_t pid);

}  // namespace wattle::sealcheck
