// What wattle-registry keeps after the seal: its listeners, the lane to the signer, its database.
#pragma once

#include "common/os/sandbox.h"

namespace wattle::registry {

os::Policy policy();

}  // namespace wattle::registry
