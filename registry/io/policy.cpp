#include "registry/io/policy.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>

namespace wattle::registry {

os::Policy policy(const std::string& state_folder) {
  os::Policy p{};
  p.program = "wattle-registry";
  p.calls = {
      // HTTPS: connections on the listeners that are open
      {SCMP_SYS(accept4), 3, SOCK_NONBLOCK | SOCK_CLOEXEC},
      {SCMP_SYS(getpeername)},
      {SCMP_SYS(getsockopt), 1, SOL_SOCKET, 2, SO_PEERCRED},
      {SCMP_SYS(shutdown)},
      // the lane to the signer, again after the signer's restart
      {SCMP_SYS(socket), 0, AF_UNIX, 1, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 2, 0},
      {SCMP_SYS(connect)},
      // SQLite: the database, its log (WAL) and the index of that, in the state folder
      {SCMP_SYS(openat)},
      {SCMP_SYS(newfstatat)},  // also by path: whether the database was moved, at its close
      {SCMP_SYS(fstat)},
      {SCMP_SYS(lseek)},
      {SCMP_SYS(pread64)},
      {SCMP_SYS(pwrite64)},
      {SCMP_SYS(fsync)},
      {SCMP_SYS(fdatasync)},
      {SCMP_SYS(ftruncate)},
      {SCMP_SYS(unlink)},
      {SCMP_SYS(fchmod)},
      {SCMP_SYS(geteuid)},
      {SCMP_SYS(fcntl), 1, F_SETLK},
      {SCMP_SYS(fcntl), 1, F_GETLK},
      {SCMP_SYS(fcntl), 1, F_GETFD},
      {SCMP_SYS(mmap), 3, MAP_SHARED},
  };
  p.max_descriptors = 1024;
  p.folders = {{.path = state_folder, .read = true, .write = true}};
  return p;
}

}  // namespace wattle::registry
