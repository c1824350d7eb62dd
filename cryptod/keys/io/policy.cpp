#include "cryptod/keys/io/policy.h"

#include <seccomp.h>
#include <sys/socket.h>

namespace wattle::keys {

os::Policy policy() {
  os::Policy out{"wattle-keyd", {}, {}};
  out.calls = {
      {SCMP_SYS(pwrite64)},                    // the counter file
      {SCMP_SYS(fdatasync)},                   // the same
      {SCMP_SYS(accept4)},                     // metad
      {SCMP_SYS(getsockopt), 2, SO_PEERCRED},  // who it is
  };
  out.max_descriptors = 64;
  return out;
}

}  // namespace wattle::keys
