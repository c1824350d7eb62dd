// What wattle-cryptod keeps after the seal.
#pragma once

#include "common/os/sandbox.h"

namespace wattle::cryptod {

// `ring`: descriptor of its io_uring; -1: it has none, and none of the calls for one.
os::Policy policy(int ring);

}  // namespace wattle::cryptod
