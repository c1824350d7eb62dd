#include "cryptod/policy.h"

#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace wattle::cryptod {

namespace {

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

// For the one ring that was made before the seal: submit, and put the TAP into its table of files.
// What the ring itself may do stands in io/ring.cpp.
std::vector<os::AllowedCall> uring_calls(int ring) {
  const auto fd = static_cast<std::uint64_t>(ring);
  return {
      {SCMP_SYS(io_uring_enter), 0, fd, 2, 0, 3, 0},  // waits for nothing
      {SCMP_SYS(io_uring_register), 0, fd, 1, IORING_REGISTER_FILES_UPDATE},
  };
}

}  // namespace

os::Policy policy(int ring) {
  os::Policy out = kPolicy;
  if (ring < 0) return out;
  for (const os::AllowedCall& call : uring_calls(ring)) out.calls.push_back(call);
  return out;
}

}  // namespace wattle::cryptod
