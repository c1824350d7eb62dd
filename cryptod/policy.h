// What wattle-cryptod keeps after the seal.
#pragma once

#include "common/os/sandbox.h"

namespace wattle::cryptod {

extern const os::Policy kPolicy;

}  // namespace wattle::cryptod
