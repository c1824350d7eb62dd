#include "metad/policy.h"

#include <fcntl.h>
#include <netinet/in.h>
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
const os::Policy kPolicy = {
    .program = "wattle-metad",
    .calls =
        {
            {SCMP_SYS(socket), 0, AF_INET, 1, kStream},
            {SCMP_SYS(socket), 0, AF_INET6, 1, kStream},
            {SCMP_SYS(socket), 0, AF_UNIX, 1, kLane},
            {SCMP_SYS(connect)},
            {SCMP_SYS(accept4)},
            {SCMP_SYS(recvfrom)},  // MSG_PEEK
            {SCMP_SYS(sendto)},
            {SCMP_SYS(shutdown)},
            {SCMP_SYS(getsockopt), 1, SOL_SOCKET},
            {SCMP_SYS(setsockopt), 1, SOL_SOCKET},   // SO_RCVLOWAT
            {SCMP_SYS(setsockopt), 1, IPPROTO_TCP},  // TCP_NODELAY
            {SCMP_SYS(ioctl), 1, FIONREAD},          // libevent asks how much there is to read
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
};

}  // namespace wattle::metad
