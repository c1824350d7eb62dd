#include "tapd/policy.h"

#include <seccomp.h>
#include <sys/socket.h>

namespace wattle::tapd {

// The lane is connected again whenever cryptod was restarted: socket(AF_UNIX), connect, getsockopt
// (who made it). The netlink sockets are open already: sendto and recvfrom. No new descriptor can
// be of another kind; device and UDP sockets need no further ioctl. No capability is kept:
// everything that needs CAP_NET_ADMIN is done before.
const os::Policy kPolicy = {
    .program = "wattle-tapd",
    .calls =
        {
            {SCMP_SYS(socket), 0, AF_UNIX, 1, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 2, 0},
            {SCMP_SYS(connect)},
            {SCMP_SYS(getsockopt), 1, SOL_SOCKET, 2, SO_PEERCRED},
            {SCMP_SYS(sendto)},
            {SCMP_SYS(recvfrom)},
        },
    .refused_softly = {},
    .capabilities = 0,
    .max_descriptors = 64,
};

}  // namespace wattle::tapd
