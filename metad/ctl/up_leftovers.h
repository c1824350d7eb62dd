// Daemons whose supervisor was killed. They get SIGTERM from the kernel at that moment; one that
// hangs would keep the device and the ports from the next instance.
#pragma once

#include <string>

namespace wattle::ctl {

// Ends every daemon of the network that runs in this PID namespace as its own user: gives it half a
// second to go by itself, then SIGKILL. For whoever holds the instance's lock and has started
// nothing yet: so they belong to an instance that is dead. Each that is killed is logged.
void end_leftovers(const std::string& network);

}  // namespace wattle::ctl
