// One instance of a network per host: `wattle up` holds a lock on /run/wattle/NET/lock as long as
// it lives, and the file names its pid. Here is what all programs may ask of it, and what a second
// start is told.
#pragma once

#include <sys/types.h>
#include <cstdint>
#include <string>

#include "common/base/result.h"
#include "common/os/fd.h"

namespace wattle::os {

inline constexpr int kExitLocked = 75;

// The holder of the lock; NotFound if nobody has it, Again if it is just coming or going.
struct Holder {
  pid_t pid = 0;
  Fd process;  // pidfd: signals reach this process or nobody
};
Result<Holder> find_holder(const std::string& lock_path);

// For a daemon that was given no descriptors: Exists, with a sentence that names the holder, if the
// network of this run folder is up and its holder did not start this process.
Result<void> refuse_second(const std::string& run);

// An exclusive lock on an open file, held as long as `fd` is open; Exists with a sentence that
// names the process that has it.
Result<void> lock_file(int fd, const std::string& path);

// The pid in the line of /proc/locks about a flock on the inode; 0 if there is none. Pure.
pid_t find_flock(const std::string& locks, std::uint64_t inode);

}  // namespace wattle::os
