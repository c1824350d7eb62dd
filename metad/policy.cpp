#include "metad/policy.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace wattle::metad {
namespace {

// The types with which streams (metad/io/tcp.cpp) and lanes (common/os/unix_socket.cpp) are made.
constexpr std::uint64_t kStream = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
constexpr std::uint64_t kLane = SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC;

}  // namespace

// TCP both ways on the ports that were opened before, lanes to cryptod and keyd, and its state
// folder. No datagram, raw or netlink socket.
os::Policy policy(const std::string& state_folder) {
  return {
      .program = "wattle-metad",
      .calls =
          {
              {SCMP_SYS(socket), 0, AF_INET, 1, kStream, 2, 0},
              {SCMP_SYS(socket), 0, AF_INET6, 1, kStream, 2, 0},
              {SCMP_SYS(socket), 0, AF_UNIX, 1, kLane, 2, 0},
              {SCMP_SYS(connect)},
              {SCMP_SYS(accept4), 3, SOCK_NONBLOCK | SOCK_CLOEXEC},
              {SCMP_SYS(recvfrom)},  // MSG_PEEK
              {SCMP_SYS(sendto)},
              {SCMP_SYS(shutdown)},
              {SCMP_SYS(getsockopt), 1, SOL_SOCKET, 2, SO_PEERCRED},
              {SCMP_SYS(getsockopt), 1, SOL_SOCKET, 2, SO_ERROR},
              {SCMP_SYS(setsockopt), 1, SOL_SOCKET, 2, SO_RCVLOWAT},
              {SCMP_SYS(setsockopt), 1, IPPROTO_TCP, 2, TCP_NODELAY},
              {SCMP_SYS(ioctl), 1, FIONREAD},  // libevent asks how much there is to read
              // the state folder: written whole, renamed
              {SCMP_SYS(openat), 2, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC},
              {SCMP_SYS(openat), 2, O_RDONLY | O_DIRECTORY | O_CLOEXEC},  // its folder, to sync it
              {SCMP_SYS(fsync)},
              {SCMP_SYS(fchmod)},
              {SCMP_SYS(rename)},
              {SCMP_SYS(unlink)},
          },
      .refused_softly = {},
      .capabilities = 0,
      .max_descriptors = 1024,
      .folders = {{.path = state_folder, .write = true}},
      .tcp_connect = true,
      .lock_memory = true,
  };
}

}  // namespace wattle::metad
