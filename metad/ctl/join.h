// `wattle join URL` and `wattle leave [NET]`.
#pragma once

#include "common/os/paths.h"
#include "metad/ctl/failure.h"
#include "metad/ctl/pending.h"
#include "metad/ctl/verbs.h"

namespace wattle::ctl {

Outcome run_join(const Arguments& arguments);
Outcome run_leave(const Arguments& arguments);

// Starts what a new member needs (systemd's units, `wattle up`, or a word to the supervisor that
// runs already), waits until the network device is there and metad has had a chance to link, and
// says what is now true.
Outcome start_member(const std::string& network, const os::Paths& paths);

}  // namespace wattle::ctl
