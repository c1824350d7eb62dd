// What wattle-tapd keeps after its seal.
#pragma once

#include "common/os/sandbox.h"

namespace wattle::tapd {

extern const os::Policy kPolicy;

}  // namespace wattle::tapd
