// One instance per network: a lock on /run/wattle/NET/lock, held as long as the descriptor is open;
// the file names the holder's pid.
#pragma once

#include <sys/types.h>
#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/os/fd.h"

namespace wattle::ctl {

class InstanceLock {
 public:
  // Exists, with a sentence that names the holder, if somebody has it.
  static Result<InstanceLock> take(const std::string& path, const std::string& network);
  Result<void> write_pid();  // this process's; after the last fork

 private:
  os::Fd fd_;
};

// The holder of the lock; NotFound if nobody has it.
struct Holder {
  pid_t pid = 0;
  os::Fd process;  // pidfd: signals reach this process or nobody
};
Result<Holder> find_holder(const std::string& path);

}  // namespace wattle::ctl
