// What wattle-metad keeps after its seal (man/wattle-privsep.7).
#pragma once

#include "common/os/sandbox.h"

namespace wattle::metad {

extern const os::Policy kPolicy;

}  // namespace wattle::metad
