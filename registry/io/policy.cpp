#include "registry/io/policy.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>

namespace wattle::registry {

os::Policy policy() {
  os::Policy p{};
  p.program = "wattle-registry";
  p.calls = {
      // HTTPS: connections on the listeners that are open
      {SCMP_SYS(accept4)},
      {SCMP_SYS(getpeername)},
      {SCMP_SYS(getsockopt)},
      {SCMP_SYS(setsockopt)},
      {SCMP_SYS(shutdown)},
      // the lane to the signer, again after the signer's restart
      {SCMP_SYS(socket), 0, AF_UNIX},
      {SCMP_SYS(connect)},
      // SQLite: the database, its log (WAL) and the index of that, in the state folder
      {SCMP_SYS(openat)},
      {SCMP_SYS(newfstatat)},
      {SCMP_SYS(fstat)},
      {SCMP_SYS(stat)},
      {SCMP_SYS(lstat)},
      {SCMP_SYS(lseek)},
      {SCMP_SYS(pread64)},
      {SCMP_SYS(pwrite64)},
      {SCMP_SYS(fsync)},
      {SCMP_SYS(fdatasync)},
      {SCMP_SYS(ftruncate)},
      {SCMP_SYS(unlink)},
      {SCMP_SYS(access)},
      {SCMP_SYS(fchmod)},
      {SCMP_SYS(geteuid)},
      {SCMP_SYS(fcntl), 1, F_SETLK},
      {SCMP_SYS(fcntl), 1, F_GETLK},
      {SCMP_SYS(fcntl), 1, F_GETFD},
      {SCMP_SYS(mmap), 3, MAP_SHARED},
  };
  p.max_descriptors = 1024;
  return p;
}

}  // namespace wattle::registry
