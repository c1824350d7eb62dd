// status, peers and ping: ask, render, and the exit code.
#pragma once

#include "metad/ctl/failure.h"
#include "metad/ctl/verbs.h"

namespace wattle::ctl {

// Each prints on stdout; a Failure is left for main to print, except that what can be shown is
// shown first (status of a network whose daemons are down).
Outcome run_status(const Arguments& arguments);
Outcome run_peers(const Arguments& arguments);
Outcome run_ping(const Arguments& arguments);

}  // namespace wattle::ctl
