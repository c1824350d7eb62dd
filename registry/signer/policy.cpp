#include "registry/signer/policy.h"

#include <seccomp.h>
#include <sys/socket.h>

namespace wattle::signer {

os::Policy policy() {
  os::Policy p{};
  p.program = "wattle-signer";
  p.calls = {
      // lanes
      {SCMP_SYS(accept4), 3, SOCK_NONBLOCK | SOCK_CLOEXEC},
      {SCMP_SYS(getsockopt), 1, SOL_SOCKET, 2, SO_PEERCRED},
      // the journal, open since before the seal
      {SCMP_SYS(pread64)},
      {SCMP_SYS(pwrite64)},
      {SCMP_SYS(fdatasync)},
      {SCMP_SYS(ftruncate)},  // what a failed write left is cut off
  };
  p.max_descriptors = 64;
  p.lock_memory = true;
  return p;
}

}  // namespace wattle::signer
