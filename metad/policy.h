// What wattle-metad keeps after its seal (man/wattle-privsep.7).
#pragma once

#include "common/os/sandbox.h"

namespace wattle::metad {

// `state_folder`: all that it still reaches of the file system, and only to write.
os::Policy policy(const std::string& state_folder);

}  // namespace wattle::metad
