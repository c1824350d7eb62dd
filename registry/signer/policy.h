// What wattle-signer keeps after the seal: its two listening lanes and its journal, nothing else.
#pragma once

#include "common/os/sandbox.h"

namespace wattle::signer {

os::Policy policy();

}  // namespace wattle::signer
