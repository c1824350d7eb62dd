// The value of `offload =` in wattle.conf.
#pragma once

#include <string_view>

#include "common/base/result.h"
#include "cryptod/core/offload.h"

namespace wattle::cryptod {

// "all", "none", or words of `csum,tso,uso,gso,gro`, each at most once, blanks around them allowed;
// tso and uso need csum, as the kernel has it. Errc::Config with the end of a sentence that begins
// with the key: `needs all, none or ..., not "x"`.
Result<Offloads> parse_offloads(std::string_view text);

}  // namespace wattle::cryptod
