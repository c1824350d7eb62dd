#include "registry/signer/policy.h"

#include <seccomp.h>
#include <sys/socket.h>

namespace wattle::signer {

os::Policy policy() {
  os::Policy p{};
  p.program = "wattle-signer";
  p.calls = {
      // lanes
      {SCMP_SYS(accept4)},
      {SCMP_SYS(getsockopt), 1, SOL_SOCKET},  // SO_PEERCRED
      // the journal, open since before the seal
      {SCMP_SYS(pread64)},
      {SCMP_SYS(pwrite64)},
      {SCMP_SYS(fdatasync)},
      {SCMP_SYS(ftruncate)},  // what a failed write left is cut off
  };
  p.max_descriptors = 64;
  return p;
}

}  // namespace wattle::signer
