// What keyd keeps after the seal.
#pragma once

#include "common/os/sandbox.h"

namespace wattle::keys {

os::Policy policy();

}  // namespace wattle::keys
