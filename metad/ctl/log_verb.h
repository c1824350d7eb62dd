// `wattle log`: what the daemons say, and how much one of them says.
#pragma once

#include "metad/ctl/failure.h"
#include "metad/ctl/verbs.h"

namespace wattle::ctl {

Outcome run_log(const Arguments& arguments);

}  // namespace wattle::ctl
