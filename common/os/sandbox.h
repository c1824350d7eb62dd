// The seal. Every daemon calls enter() after it has opened everything and before it reads the first
// foreign byte (DESIGN 1). What a program keeps is one struct literal in its policy.cpp.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/os/landlock.h"

namespace wattle::os {

// A system call allowed with the given values in up to three arguments, e.g. {SCMP_SYS(socket), 0,
// AF_INET}; argument = -1: any; all must hold. Several entries for one call add up. mmap and
// mprotect entries get the rule "no PROT_EXEC" on top, whatever they say.
struct AllowedCall {
  int number;
  int argument = -1;
  std::uint64_t value = 0;
  int argument2 = -1;
  std::uint64_t value2 = 0;
  int argument3 = -1;
  std::uint64_t value3 = 0;
};

struct Policy {
  const char* program;
  std::vector<AllowedCall> calls;   // in addition to the base calls
  std::vector<int> refused_softly;  // calls that libraries try by habit: EPERM instead of death
  std::uint64_t capabilities =
      0;  // bit mask 1 << CAP_*, kept in effective and permitted; all else dropped
  unsigned max_descriptors = 1024;        // RLIMIT_NOFILE
  std::vector<FolderRight> folders = {};  // what Landlock leaves of the file system
  bool tcp_connect = false;               // the same of TCP
  bool lock_memory = false;               // nothing of it is ever swapped out: it holds keys
};

// What every daemon may do after the seal (sandbox_calls.cpp): read and write open descriptors,
// send and receive messages on sockets it has, wait, anonymous memory, clocks, random numbers, its
// own signals, exit. Opening, connecting, accepting, binding, ioctl, starting and tracing
// processes: none of it. The calls that helpers of common/os need beyond these:
//   LaneListener, accept_unix + peer_credentials   accept4, getsockopt (level SOL_SOCKET)
//   connect_lane                                   socket (AF_UNIX), connect, getsockopt
//   read_file                                      openat, newfstatat (fstat)
//   write_file                                     openat, unlink, fchmod, fchown, fsync, rename
std::vector<AllowedCall> base_calls();
// Only in builds with sanitizers: what ASan, UBSan and LeakSanitizer do themselves. Empty in every
// other build (a test proves it).
std::vector<AllowedCall> sanitizer_calls();

// In this order: refuse uid 0 (a daemon never runs as root), RLIMIT_CORE 0, RLIMIT_NOFILE, not
// dumpable, drop capabilities (and the bounding set where CAP_SETPCAP is there to do it;
// no_new_privs makes it meaningless anyway), verify them, no_new_privs, lock the memory, Landlock,
// seccomp with KILL_PROCESS as default: whoever waits for the process sees signal 31 (SIGSYS). W^X:
// mmap and mprotect with PROT_EXEC are not allowed. Memory is locked as pages are touched, where
// RLIMIT_MEMLOCK is unlimited; without that, and on a kernel without Landlock, the log says what is
// missing. After an error the process may be half sealed: print the sentence and exit.
Result<void> enter(const Policy& policy);

}  // namespace wattle::os
