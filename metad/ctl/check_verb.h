// `wattle check`: what each daemon of a network thinks of its settings, without starting it.
#pragma once

#include "metad/ctl/failure.h"
#include "metad/ctl/verbs.h"

namespace wattle::ctl {

// Each daemon that runs here judges its own files (--check) and says so; Config if one finds fault.
Outcome run_check(const Arguments& arguments);

}  // namespace wattle::ctl
