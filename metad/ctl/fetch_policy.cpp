#include "metad/ctl/fetch_policy.h"

#include <fcntl.h>
#include <seccomp.h>
#include <sys/socket.h>

namespace wattle::ctl {

os::Policy fetch_policy() {
  os::Policy out{"wattle-fetch", {}, {}};
  out.calls = {
      // Sockets of libcurl (TCP), of the resolver (UDP, TCP) and of getaddrinfo's look at
      // the host's own addresses (netlink); pairs are libcurl's wake-up.
      {SCMP_SYS(socket), 0, AF_INET},
      {SCMP_SYS(socket), 0, AF_INET6},
      {SCMP_SYS(socket), 0, AF_NETLINK},
      {SCMP_SYS(socketpair), 0, AF_UNIX},
      {SCMP_SYS(bind)},  // netlink
      {SCMP_SYS(connect)},
      {SCMP_SYS(sendto)},
      {SCMP_SYS(sendmmsg)},
      {SCMP_SYS(recvfrom)},
      {SCMP_SYS(getsockname)},
      {SCMP_SYS(getpeername)},
      {SCMP_SYS(getsockopt)},
      {SCMP_SYS(setsockopt)},
      {SCMP_SYS(shutdown)},
      {SCMP_SYS(ioctl), 1, 0x541B},  // FIONREAD, of the resolver
                                     // /etc/hosts, resolv.conf, gai.conf: read-only, as nobody.
      {SCMP_SYS(openat), 2, O_RDONLY},
      {SCMP_SYS(openat), 2, O_RDONLY | O_CLOEXEC},
      {SCMP_SYS(newfstatat)},
      {SCMP_SYS(fstat)},
      {SCMP_SYS(lseek)},
      {SCMP_SYS(uname)},
  };
  out.max_descriptors = 64;
  out.folders = {{.path = "/", .read = true}};
  out.tcp_connect = true;
  return out;
}

}  // namespace wattle::ctl
