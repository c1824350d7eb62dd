#include "cryptod/keys/io/policy.h"

#include <seccomp.h>
#include <sys/socket.h>

namespace wattle::keys {

os::Policy policy() {
  os::Policy out{"wattle-keyd", {}, {}};
  out.calls = {
      {SCMP_SYS(pwrite64)},                                   // the counter file
      {SCMP_SYS(fdatasync)},                                  // the same
      {SCMP_SYS(accept4), 3, SOCK_NONBLOCK | SOCK_CLOEXEC},   // metad
      {SCMP_SYS(getsockopt), 1, SOL_SOCKET, 2, SO_PEERCRED},  // who it is
  };
  out.max_descriptors = 64;
  out.lock_memory = true;
  return out;
}

}  // namespace wattle::keys
