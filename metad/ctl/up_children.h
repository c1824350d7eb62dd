// The daemons of an instance that `wattle up` runs, found from outside: the children of the lock's
// holder, as /proc tells them.
#pragma once

#include <sys/types.h>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/os/fd.h"

namespace wattle::ctl {

struct Child {
  std::string program;  // wattle-cryptod, ...
  pid_t pid = 0;
  os::Fd process;  // pidfd: a signal reaches this process or nobody
};

// Those that have begun to run their program. NotFound if nobody holds the lock.
Result<std::vector<Child>> find_children(const std::string& lock_path);

// Denied if the caller may not.
Result<void> send_signal(const Child& child, int signal);

}  // namespace wattle::ctl
