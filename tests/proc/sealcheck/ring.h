// What a compromised cryptod would try with its io_uring: calls of the filter's list with other
// arguments, and operations put into the ring by hand.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tests/proc/sealcheck/attempts.h"

namespace wattle::sealcheck {

// System calls; SIGSYS where there is no ring.
std::vector<Attempt> ring_calls();

// What operations in the ring come to, and "-" where there is none. They are tried in the process
// itself, which alone may use its ring, and it is of no use afterwards.
std::vector<std::pair<std::string, std::string>> try_ring(Injector& process);

}  // namespace wattle::sealcheck
