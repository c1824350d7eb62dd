#include "tests/proc/sealcheck/attempts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>
#include <csignal>
#include <cstring>

#include "tests/proc/sealcheck/ring.h"

namespace wattle::sealcheck {
namespace {

constexpr long kCwd = AT_FDCWD;
constexpr long kNonblock = SOCK_NONBLOCK | SOCK_CLOEXEC;
constexpr long kNewFile = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
constexpr long kFolder = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr long kX32 = 0x40000000;
const std::string kWord("\1\0\0\0", 4);

template <typename T>
std::string bytes_of(const T& value, std::size_t size = sizeof(T)) {
  return std::string(reinterpret_cast<const char*>(&value), size);
}

// One call; arguments that are left out are 0.
Attempt call(const char* name, long number, Argument a = 0, Argument b = 0, Argument c = 0,
             Argument d = 0, Argument e = 0, Argument f = 0) {
  return {name, [=](Injector& in, const Targets&) { return in.call(number, {a, b, c, d, e, f}); }};
}

std::string unix_address(const std::string& path, bool abstract) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + (abstract ? 1 : 0), path.data(), path.size());
  return bytes_of(address, sizeof(sa_family_t) + path.size() + 1);
}

std::string tcp_address(const char* host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  ::inet_pton(AF_INET, host, &address.sin_addr);
  return bytes_of(address);
}

// A socket, and connect or bind with it: the reason of whichever fails.
Outcome with_socket(Injector& in, long family, long type, long then, const std::string& address) {
  const Outcome made = in.call(SYS_socket, {family, type, 0, 0, 0, 0});
  if (!made.ok()) return made;
  return in.call(then, {made.value, address, static_cast<long>(address.size()), 0, 0, 0});
}

Attempt reach(const char* name, std::function<std::string(const Targets&)> path) {
  return {name, [path = std::move(path)](Injector& in, const Targets& t) {
            return with_socket(in, AF_UNIX, SOCK_SEQPACKET | kNonblock, SYS_connect,
                               unix_address(path(t), false));
          }};
}

Attempt abstract_connect() {
  return {"connect to an abstract socket", [](Injector& in, const Targets&) {
            return with_socket(in, AF_UNIX, SOCK_SEQPACKET | kNonblock, SYS_connect,
                               unix_address("sealcheck", true));
          }};
}

std::string folder(const Targets& t, const char* part) {
  return "/var/lib/wattle/" + t.other + "/" + part;
}

// Files by the rights of each network and each process, whichever way they are asked for.
std::vector<Attempt> files() {
  using In = Injector;
  using To = Targets;
  return {
      call("openat /etc/passwd", SYS_openat, kCwd, "/etc/passwd", O_RDONLY),
      {"openat its own program",
       [](In& in, const To& t) {
         return in.call(SYS_openat, {kCwd, t.program.c_str(), O_RDONLY, 0, 0, 0});
       }},
      call("openat to make a file in /tmp", SYS_openat, kCwd, "/tmp/sealcheck.new", kNewFile, 0600),
      call("openat of the folder /etc", SYS_openat, kCwd, "/etc", kFolder),
      {"openat in another network's state",
       [](In& in, const To& t) {
         return in.call(SYS_openat,
                        {kCwd, (folder(t, "meta") + "/new").c_str(), kNewFile, 0600, 0, 0});
       }},
      {"openat of another network's key",
       [](In& in, const To& t) {
         return in.call(SYS_openat,
                        {kCwd, folder(t, "meta/tls.key").c_str(), O_RDONLY | O_CLOEXEC, 0, 0, 0});
       }},
      {"openat of another process's memory",
       [](In& in, const To& t) {
         const std::string path = "/proc/" + std::to_string(t.other_metad) + "/mem";
         return in.call(SYS_openat, {kCwd, path.c_str(), O_RDONLY | O_CLOEXEC, 0, 0, 0});
       }},
      {"unlink its own file in /tmp",
       [](In& in, const To& t) {
         return in.call(SYS_unlink, {t.own_file.c_str(), 0, 0, 0, 0, 0});
       }},
      {"rename its own file in /tmp",
       [](In& in, const To& t) {
         return in.call(SYS_rename, {t.own_file.c_str(), (t.own_file + "x").c_str(), 0, 0, 0, 0});
       }},
  };
}

std::vector<Attempt> other_networks() {
  return {
      reach("connect to another network's crypto.meta",
            [](const Targets& t) { return "/run/wattle/" + t.other + "/crypto.meta"; }),
      reach("connect to another network's key",
            [](const Targets& t) { return "/run/wattle/" + t.other + "/key"; }),
      reach("connect to another network's sign",
            [](const Targets& t) { return "/run/wattle/" + t.other + "/sign"; }),
      {"kill another network's metad",
       [](Injector& in, const Targets& t) {
         return in.call(SYS_kill, {t.other_metad, 0, 0, 0, 0, 0});
       }},
      {"process_vm_readv of another network's metad",
       [](Injector& in, const Targets& t) {
         const iovec part{reinterpret_cast<void*>(4096), 8};
         return in.call(SYS_process_vm_readv,
                        {t.other_metad, bytes_of(part), 1, bytes_of(part), 1, 0});
       }},
      {"ptrace another network's metad",
       [](Injector& in, const Targets& t) {
         return in.call(SYS_ptrace, {PTRACE_SEIZE, t.other_metad, 0, 0, 0, 0});
       }},
  };
}

std::vector<Attempt> privileges() {
  const rlimit core{RLIM_INFINITY, RLIM_INFINITY};
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct wish[2] = {{1u << CAP_NET_ADMIN, 1u << CAP_NET_ADMIN, 0}, {}};
  return {
      call("setuid 0", SYS_setuid, 0),
      call("setresuid 0", SYS_setresuid, 0, 0, 0),
      call("setgid 0", SYS_setgid, 0),
      call("setgroups", SYS_setgroups, 0, 0),
      call("capset CAP_NET_ADMIN", SYS_capset, bytes_of(header), bytes_of(wish)),
      call("prlimit64 core", SYS_prlimit64, 0, RLIMIT_CORE, bytes_of(core)),
      call("mount", SYS_mount, "none", "/tmp", "tmpfs"),
      call("chroot", SYS_chroot, "/tmp"),
      call("execve /bin/sh", SYS_execve, "/bin/sh"),
  };
}

}  // namespace

const std::vector<Attempt>& filtered_attempts() {
  static const std::vector<Attempt> all = [] {
    std::vector<Attempt> out = files();
    const auto add = [&out](std::vector<Attempt> more) {
      out.insert(out.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
    };
    const iovec part{};
    add({
        call("openat2", SYS_openat2, kCwd, "/etc/passwd"),
        call("open", SYS_open, "/etc/passwd", O_RDONLY),
        call("stat /etc/passwd", SYS_stat, "/etc/passwd", std::string(256, '\0')),
        call("newfstatat /etc/passwd", SYS_newfstatat, kCwd, "/etc/passwd", std::string(256, '\0')),
        call("access /etc/passwd", SYS_access, "/etc/passwd"),
        call("readlink", SYS_readlink, "/proc/self/exe", std::string(256, '\0'), 256),
        call("open_by_handle_at", SYS_open_by_handle_at),
        call("mkdir", SYS_mkdir, "/tmp/sealcheck.d", 0700),
        call("chmod", SYS_chmod, "/tmp", 0777),
        call("symlink", SYS_symlink, "/etc/passwd", "/tmp/sealcheck.l"),
        call("mknod", SYS_mknod, "/tmp/sealcheck.n", 0600),
        call("truncate", SYS_truncate, "/tmp/sealcheck.n"),
        call("inotify_init1", SYS_inotify_init1),
    });
    add(privileges());
    add({
        call("execveat", SYS_execveat, 0, "", 0, 0, AT_EMPTY_PATH),
        call("memfd_create", SYS_memfd_create, "x"),
        call("memfd_secret", 447),
        call("socket AF_INET stream", SYS_socket, AF_INET, SOCK_STREAM),
        call("socket AF_INET stream as metad's", SYS_socket, AF_INET, SOCK_STREAM | kNonblock),
        call("socket AF_INET6 stream as metad's", SYS_socket, AF_INET6, SOCK_STREAM | kNonblock),
        call("socket AF_INET SCTP", SYS_socket, AF_INET, SOCK_STREAM | kNonblock, 132),
        call("socket AF_INET datagram", SYS_socket, AF_INET, SOCK_DGRAM | kNonblock),
        call("socket AF_INET6 raw", SYS_socket, AF_INET6, SOCK_RAW, 58),
        call("socket AF_UNIX stream", SYS_socket, AF_UNIX, SOCK_STREAM | kNonblock),
        call("socket AF_UNIX datagram", SYS_socket, AF_UNIX, SOCK_DGRAM | kNonblock),
        call("socket AF_UNIX lane", SYS_socket, AF_UNIX, SOCK_SEQPACKET | kNonblock),
        call("socket AF_NETLINK", SYS_socket, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE),
        call("socket AF_PACKET", SYS_socket, AF_PACKET, SOCK_RAW, 0x300),
        call("socket AF_VSOCK", SYS_socket, 40, SOCK_STREAM),
        call("socketpair", SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, std::string(8, '\0')),
        call("bind", SYS_bind, 0, tcp_address("0.0.0.0", 9999), 16),
        call("listen", SYS_listen, 0, 1),
        call("accept4 without flags", SYS_accept4, 0),
        call("setsockopt SO_BINDTODEVICE", SYS_setsockopt, 0, SOL_SOCKET, 25, "lo", 3),
        call("setsockopt SO_MARK", SYS_setsockopt, 0, SOL_SOCKET, 36, std::string(4, '\1'), 4),
        call("setsockopt UDP_SEGMENT", SYS_setsockopt, 0, IPPROTO_UDP, UDP_SEGMENT, kWord, 4),
        call("setsockopt UDP_ENCAP", SYS_setsockopt, 0, IPPROTO_UDP, UDP_ENCAP, kWord, 4),
        call("setsockopt UDP_GRO of another level", SYS_setsockopt, 0, IPPROTO_TCP, UDP_GRO, kWord,
             4),
        call("setsockopt UDP_GRO", SYS_setsockopt, 0, IPPROTO_UDP, UDP_GRO, kWord, 4),
        call("getsockopt SO_ATTACH_FILTER", SYS_getsockopt, 0, SOL_SOCKET, 26, 0, 0),
        call("ioctl TIOCSTI", SYS_ioctl, 0, 0x5412, "x"),
        call("ioctl TUNSETIFF", SYS_ioctl, 0, TUNSETIFF, std::string(64, '\0')),
        call("ioctl TUNSETPERSIST", SYS_ioctl, 0, TUNSETPERSIST, 1),
        call("ioctl TUNSETOWNER", SYS_ioctl, 0, TUNSETOWNER, 0),
        call("ioctl TUNSETGROUP", SYS_ioctl, 0, TUNSETGROUP, 0),
        call("ioctl TUNSETQUEUE", SYS_ioctl, 0, TUNSETQUEUE, std::string(64, '\0')),
        call("ioctl TUNSETOFFLOAD", SYS_ioctl, 0, TUNSETOFFLOAD, 0),
        call("ioctl SIOCSIFHWADDR", SYS_ioctl, 0, SIOCSIFHWADDR, std::string(64, '\0')),
        call("io_uring_setup", SYS_io_uring_setup, 1, std::string(128, '\0')),
        call("bpf", SYS_bpf, 0, std::string(128, '\0'), 128),
        call("userfaultfd", SYS_userfaultfd),
        call("perf_event_open", SYS_perf_event_open, std::string(128, '\0'), 0, -1, -1),
        call("keyctl", SYS_keyctl),
        call("add_key", SYS_add_key, "user", "x", "y", 1, -3),
        call("ptrace TRACEME", SYS_ptrace),
        call("process_vm_writev", SYS_process_vm_writev, 1, bytes_of(part), 1, bytes_of(part), 1),
        call("pidfd_open", SYS_pidfd_open, 1),
        call("pidfd_getfd", SYS_pidfd_getfd, 0),
        call("fork", SYS_fork),
        call("clone", SYS_clone, SIGCHLD),
        call("clone3", SYS_clone3, std::string(88, '\0'), 88),
        call("unshare a user namespace", SYS_unshare, CLONE_NEWUSER),
        call("umount2", SYS_umount2, "/tmp"),
        call("setns", SYS_setns, 0, 0),
        call("pivot_root", SYS_pivot_root, "/", "/"),
        call("personality", SYS_personality, 0x0040000),
        call("init_module", SYS_init_module),
        call("kexec_load", SYS_kexec_load),
        call("reboot", SYS_reboot),
        call("settimeofday", SYS_settimeofday),
        call("sethostname", SYS_sethostname, "x", 1),
        call("prctl PR_SET_DUMPABLE", SYS_prctl, PR_SET_DUMPABLE, 1),
        call("prctl PR_SET_PTRACER", SYS_prctl, PR_SET_PTRACER, -1L),
        call("seccomp", SYS_seccomp),
        call("arch_prctl", SYS_arch_prctl, 0x1003),
        call("mmap PROT_EXEC", SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC,
             MAP_PRIVATE | MAP_ANONYMOUS, -1),
        call("mmap writable and PROT_EXEC", SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
             MAP_PRIVATE | MAP_ANONYMOUS, -1),
        call("mmap of a descriptor", SYS_mmap, 0, 4096, PROT_READ, MAP_PRIVATE, 0),
        {"mprotect PROT_EXEC of the stack",
         [](Injector& in, const Targets&) {
           const Outcome page = in.call(
               SYS_mmap, {0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0});
           if (!page.ok()) return page;
           return in.call(SYS_mprotect, {page.value, 4096, PROT_READ | PROT_EXEC, 0, 0, 0});
         }},
        call("pkey_mprotect", SYS_pkey_mprotect),
        call("madvise MADV_DODUMP", SYS_madvise, 0, 4096, MADV_DODUMP),
        call("madvise MADV_KEEPONFORK", SYS_madvise, 0, 4096, 19),
        call("munlockall", SYS_munlockall),
        call("kill init", SYS_kill, 1, SIGTERM),
        call("tgkill another", SYS_tgkill, 1, 1, SIGTERM),
        call("tkill another", SYS_tkill, 1, SIGTERM),
        call("rt_sigqueueinfo", SYS_rt_sigqueueinfo, 1, SIGTERM, std::string(128, '\0')),
        call("fcntl F_SETOWN", SYS_fcntl, 0, F_SETOWN, 1),
        call("fcntl F_DUPFD without CLOEXEC", SYS_fcntl, 0, F_DUPFD, 0),
        call("dup", SYS_dup, 0),
        call("dup2", SYS_dup2, 0, 1),
        abstract_connect(),
    });
    add(ring_calls());
    add(other_networks());
    add({
        {"a call through the 32-bit entry",
         [](Injector& in, const Targets&) { return in.call_32(20); }},
        call("a call of the x32 ABI", kX32 + SYS_getpid),
        call("getpid, for comparison", SYS_getpid),
    });
    return out;
  }();
  return all;
}

const std::vector<Attempt>& unfiltered_attempts() {
  static const std::vector<Attempt> all = [] {
    std::vector<Attempt> out = files();
    for (auto& more : {privileges(), other_networks()})
      out.insert(out.end(), more.begin(), more.end());
    out.push_back(abstract_connect());
    out.push_back({"connect to a TCP port", [](Injector& in, const Targets&) {
                     return with_socket(in, AF_INET, SOCK_STREAM | kNonblock, SYS_connect,
                                        tcp_address("127.0.0.1", 9));
                   }});
    out.push_back({"bind a TCP port", [](Injector& in, const Targets&) {
                     return with_socket(in, AF_INET, SOCK_STREAM | kNonblock, SYS_bind,
                                        tcp_address("127.0.0.1", 9999));
                   }});
    out.push_back({"raw socket", [](Injector& in, const Targets&) {
                     return in.call(SYS_socket, {AF_PACKET, SOCK_RAW, 0x300, 0, 0, 0});
                   }});
    out.push_back({"signal another process of its user", [](Injector& in, const Targets& t) {
                     return in.call(SYS_kill, {t.outsider, 0, 0, 0, 0, 0});
                   }});
    return out;
  }();
  return all;
}

}  // namespace wattle::sealcheck
