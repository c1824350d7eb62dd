// One instance per network: the lock on /run/wattle/NET/lock, held as long as the descriptor is
// open; the file names the holder's pid. Who asks for the holder: common/os/instance.h.
#pragma once

#include <sys/types.h>
#include <string>

#include "common/base/result.h"
#include "common/os/fd.h"
#include "common/os/instance.h"

namespace wattle::ctl {

class InstanceLock {
 public:
  // Exists, with a sentence that names the holder, if somebody has it.
  static Result<InstanceLock> take(const std::string& path, const std::string& network);
  Result<void> write_pid();  // this process's; after the last fork

 private:
  os::Fd fd_;
};

}  // namespace wattle::ctl
