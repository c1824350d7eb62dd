// status, peers, ping, routes, why and trace: ask, render, and the exit code.
#pragma once

#include "metad/ctl/control_client.h"
#include "metad/ctl/failure.h"
#include "metad/ctl/verbs.h"

namespace wattle::ctl {

// Each prints on stdout; a Failure is left for main to print, except that what can be shown is
// shown first (status of a network whose daemons are down).
Outcome run_status(const Arguments& arguments);
Outcome run_peers(const Arguments& arguments);
Outcome run_ping(const Arguments& arguments);
Outcome run_routes(const Arguments& arguments);
Outcome run_why(const Arguments& arguments);
Outcome run_trace(const Arguments& arguments);

// One PROBE. A member that cannot be asked at all is a Failure; one that does not answer is not.
Outcome probe_once(ControlClient& client, const std::string& peer, ProbeReply& out);

}  // namespace wattle::ctl
