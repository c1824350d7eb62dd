// What wattle-fetch may still do once it is sealed.
#pragma once

#include "common/os/sandbox.h"

namespace wattle::ctl {

os::Policy fetch_policy();

}  // namespace wattle::ctl
