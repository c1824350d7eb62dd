// What a compromised daemon would try, each as system calls made from inside the real, sealed
// process; the answer is the reason why it failed ("SIGSYS", "EACCES") or "ok".
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/proc/sealcheck/injector.h"

namespace wattle::sealcheck {

// What an attempt aims at.
struct Targets {
  std::string daemon;      // "metad": who tries
  std::string program;     // its own file
  std::string own_file;    // in /tmp, of its own user
  std::string own, other;  // networks on this host
  pid_t other_metad = 1;
  pid_t outsider = 1;  // a process of its own user that it did not start
};

struct Attempt {
  std::string name;
  std::function<Outcome(Injector&, const Targets&)> run;
};

// Under the filter, and with the filter suspended: what holds by itself behind it (Landlock, the
// user, no_new_privs).
const std::vector<Attempt>& filtered_attempts();
const std::vector<Attempt>& unfiltered_attempts();

}  // namespace wattle::sealcheck
