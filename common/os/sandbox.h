// The seal. Every daemon calls enter() after it has opened everything and before it reads the first
// foreign byte (DESIGN 1). What a program keeps is one struct literal in its policy.cpp.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "common/base/result.h"

namespace wattle::os {

// A system call allowed with the given value in one argument, e.g. {SCMP_SYS(socket), 0, AF_INET};
// argument = -1: any.
struct AllowedCall {
  int number;
  int argument = -1;
  std::uint64_t value = 0;
};

struct Policy {
  const char* program;
  std::vector<AllowedCall> calls;   // in addition to kBaseCalls (sandbox.cpp): memory, exit, clock, read, write
  std::vector<int> refused_softly;  // calls that libraries try by habit: ENOSYS/EPERM instead of death
  std::uint64_t capabilities = 0;   // bit mask 1 << CAP_*, kept in effective and permitted; all else dropped
  unsigned max_descriptors = 1024;  // RLIMIT_NOFILE
};

// In this order: refuse uid 0 (a daemon never runs as root), drop capabilities and the bounding set, RLIMIT_CORE 0,
// not dumpable, no_new_privs, seccomp with KILL_PROCESS as default. W^X: mmap and mprotect with PROT_EXEC
// are not allowed. Builds with sanitizers add kSanitizerCalls.
Result<void> enter(const Policy& policy);

}  // namespace wattle::os
