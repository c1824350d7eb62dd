// `wattle up NET [--foreground]` and `wattle down NET`: the supervisor of one network's daemons
// where no systemd runs, and the call to systemctl where it does. Library wattle_up; the `wattle`
// program calls these two. Both print one clear sentence on stderr for every failure and return the
// exit code of the process (HACKING.md): 0, 1, 2 usage, 3 not running, 4 not joined and no registry
// here, 7 not ready in time, 15 no TUN device, 75 held by another start, 77 not root, 78
// configuration.
#pragma once

#include <string>
#include <vector>

namespace wattle::ctl {

// `args`: what stands after the verb, e.g. {"home", "--foreground"}. run_up with --foreground
// returns when the instance ends; without it, when every daemon is READY.
int run_up(const std::vector<std::string>& args);

// `wattle up NET` as a program of its own, waited for: its exit code. For verbs that hold secrets
// or foreign words (join): nothing of theirs, not even their command line, lives on in the
// supervisor.
int run_up_afresh(const std::string& network);
int run_down(const std::vector<std::string>& args);

}  // namespace wattle::ctl
