#include "cryptod/policy.h"

#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace wattle::cryptod {

// Descriptors come as messages on the lanes; cryptod opens, connects and binds nothing. Of its own
// it accepts lanes (accept4) and looks who connected (getsockopt SO_PEERCRED), and says of the TAP
// and of the UDP sockets whether rows come (TUNSETOFFLOAD, UDP_GRO). Datagrams go in batches; TAP,
// lanes and waiting are in the base calls.
const os::Policy kPolicy = {
    .program = "wattle-cryptod",
    .calls =
        {
            {SCMP_SYS(recvmmsg)},
            {SCMP_SYS(sendmmsg)},
            {SCMP_SYS(accept4), 3, SOCK_NONBLOCK | SOCK_CLOEXEC},
            {SCMP_SYS(ioctl), 1, TUNSETOFFLOAD},
            {SCMP_SYS(setsockopt), 1, IPPROTO_UDP, 2, UDP_GRO},
            {SCMP_SYS(getsockopt), 1, SOL_SOCKET, 2, SO_PEERCRED},
        },
    .refused_softly = {},
    .capabilities = 0,
    .max_descriptors = 64,
    .lock_memory = true,
};

}  // namespace wattle::cryptod
