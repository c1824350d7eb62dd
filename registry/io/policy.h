// What wattle-registry keeps after the seal: its listeners, the lane to the signer, its database.
#pragma once

#include "common/os/sandbox.h"

namespace wattle::registry {

// `state_folder`: all that it still reaches of the file system.
os::Policy policy(const std::string& state_folder);

}  // namespace wattle::registry
