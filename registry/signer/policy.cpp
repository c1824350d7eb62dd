#include "registry/signer/policy.h"

#include <seccomp.h>

namespace wattle::signer {

os::Policy policy() {
  os::Policy p{};
  p.program = "wattle-signer";
  p.calls = {
      // lanes
      {SCMP_SYS(accept4)},
      {SCMP_SYS(recvmsg)},
      {SCMP_SYS(sendmsg)},
      {SCMP_SYS(getsockopt)},  // SO_PEERCRED
      {SCMP_SYS(shutdown)},
      {SCMP_SYS(epoll_wait)},
      {SCMP_SYS(epoll_pwait2)},
      {SCMP_SYS(epoll_ctl)},
      {SCMP_SYS(timerfd_settime)},
      // the journal, open since before the seal
      {SCMP_SYS(pread64)},
      {SCMP_SYS(pwrite64)},
      {SCMP_SYS(fdatasync)},
      {SCMP_SYS(ftruncate)},
      // keys for one signature each
      {SCMP_SYS(getrandom)},
  };
  p.max_descriptors = 64;
  return p;
}

}  // namespace wattle::signer
