#include "common/os/sandbox.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <map>
#include <sstream>

#include "common/os/file.h"
#include "tests/unit/common/os/child.h"

namespace wattle {
namespace {

using test::Ending;
using test::in_child;

constexpr int kNotSealed = 99;
constexpr int kSurvived = 7;

os::Policy bare() { return {"test", {}, {}}; }

// Seals as nobody, then tries `body`.
Ending sealed(const os::Policy& policy, const std::function<void()>& body) {
  return in_child([&] {
    if (!test::become_nobody() || !os::enter(policy)) return kNotSealed;
    body();
    return kSurvived;
  });
}

bool only_with_sanitizers(int number) {
  const auto extra = os::sanitizer_calls();
  return std::any_of(extra.begin(), extra.end(), [&](const auto& c) { return c.number == number; });
}

struct Forbidden {
  const char* name;
  int number;
  std::function<void()> body;
};

const std::vector<Forbidden>& forbidden() {
  static const std::vector<Forbidden> kList = {
      {"openat", SCMP_SYS(openat), [] { syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY); }},
      {"open", SCMP_SYS(open), [] { syscall(SYS_open, "/etc/passwd", O_RDONLY); }},
      {"creat", SCMP_SYS(creat), [] { syscall(SYS_creat, "/tmp/wattle-never", 0600); }},
      {"openat2", SCMP_SYS(openat2),
       [] { syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", nullptr, 0); }},
      {"socket unix", SCMP_SYS(socket), [] { ::socket(AF_UNIX, SOCK_STREAM, 0); }},
      {"socket inet", SCMP_SYS(socket), [] { ::socket(AF_INET, SOCK_DGRAM, 0); }},
      {"socket netlink", SCMP_SYS(socket), [] { ::socket(AF_NETLINK, SOCK_RAW, 0); }},
      {"socketpair", SCMP_SYS(socketpair),
       [] {
         int v[2];
         ::socketpair(AF_UNIX, SOCK_STREAM, 0, v);
       }},
      {"connect", SCMP_SYS(connect), [] { ::connect(0, nullptr, 0); }},
      {"bind", SCMP_SYS(bind), [] { ::bind(0, nullptr, 0); }},
      {"accept4", SCMP_SYS(accept4), [] { ::accept4(0, nullptr, nullptr, 0); }},
      {"execve", SCMP_SYS(execve), [] { ::execl("/bin/true", "true", nullptr); }},
      {"execveat", SCMP_SYS(execveat),
       [] { syscall(SYS_execveat, 0, "", nullptr, nullptr, 0x1000); }},
      {"memfd_create", SCMP_SYS(memfd_create), [] { syscall(SYS_memfd_create, "x", 0); }},
      {"fork", SCMP_SYS(fork),
       [] {
         if (syscall(SYS_fork) == 0) _exit(0);
       }},
      {"clone", SCMP_SYS(clone),
       [] {
         if (syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) == 0) _exit(0);
       }},
      {"clone3", SCMP_SYS(clone3), [] { syscall(SYS_clone3, nullptr, 0); }},
      {"ptrace", SCMP_SYS(ptrace), [] { ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }},
      {"process_vm_readv", SCMP_SYS(process_vm_readv),
       [] { syscall(SYS_process_vm_readv, getppid(), nullptr, 0, nullptr, 0, 0); }},
      {"setuid", SCMP_SYS(setuid), [] { [[maybe_unused]] const int r = ::setuid(0); }},
      {"setresuid", SCMP_SYS(setresuid),
       [] { [[maybe_unused]] const int r = ::setresuid(0, 0, 0); }},
      {"capset", SCMP_SYS(capset), [] { syscall(SYS_capset, nullptr, nullptr); }},
      {"unshare", SCMP_SYS(unshare), [] { ::unshare(CLONE_NEWUSER); }},
      {"mount", SCMP_SYS(mount), [] { syscall(SYS_mount, "", "", "", 0, nullptr); }},
      {"setns", SCMP_SYS(setns), [] { ::setns(0, 0); }},
      {"ioctl", SCMP_SYS(ioctl), [] { syscall(SYS_ioctl, 0, 0x5412, "x"); }},
      {"prctl", SCMP_SYS(prctl), [] { syscall(SYS_prctl, 4, 1, 0, 0, 0); }},
      {"bpf", SCMP_SYS(bpf), [] { syscall(SYS_bpf, 0, nullptr, 0); }},
      {"perf_event_open", SCMP_SYS(perf_event_open),
       [] { syscall(SYS_perf_event_open, nullptr, 0, 0, 0, 0); }},
      {"userfaultfd", SCMP_SYS(userfaultfd), [] { syscall(SYS_userfaultfd, 0); }},
      {"keyctl", SCMP_SYS(keyctl), [] { syscall(SYS_keyctl, 0, 0, 0, 0, 0); }},
      {"io_uring_setup", SCMP_SYS(io_uring_setup), [] { syscall(SYS_io_uring_setup, 1, nullptr); }},
      {"unlink", SCMP_SYS(unlink), [] { ::unlink("/tmp/wattle-never"); }},
      {"rename", SCMP_SYS(rename), [] { ::rename("/tmp/wattle-a", "/tmp/wattle-b"); }},
      {"chmod", SCMP_SYS(chmod), [] { ::chmod("/tmp/wattle-never", 0777); }},
      {"kill", SCMP_SYS(kill), [] { syscall(SYS_kill, getppid(), 0); }},
      {"tgkill of another", SCMP_SYS(ptrace), [] { syscall(SYS_tgkill, 1, 1, 0); }},
      {"mmap exec", 0,
       [] { ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }},
      {"mmap of a file", SCMP_SYS(mmap),
       [] { ::mmap(nullptr, 4096, PROT_READ, MAP_SHARED, 0, 0); }},
      {"mprotect exec", 0,
       [] {
         void* page = ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         ::mprotect(page, 4096, PROT_READ | PROT_EXEC);
       }},
      {"fcntl F_SETOWN", 0, [] { ::fcntl(0, F_SETOWN, 1); }},
  };
  return kList;
}

TEST(Sandbox, ForbiddenCallsKillTheProcessWithSigsys) {
  for (const Forbidden& f : forbidden()) {
    if (f.number != 0 && only_with_sanitizers(f.number)) continue;
    const Ending end = sealed(bare(), f.body);
    EXPECT_FALSE(end.exited) << f.name << " was survived, code " << end.code;
    EXPECT_EQ(end.code, SIGSYS) << f.name;
  }
}

TEST(Sandbox, WhatADaemonNeedsStillWorks) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const Ending end = sealed(bare(), [&] {
    epoll_event event{EPOLLIN, {}};
    bool ok = epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) == 0;
    ok = ok && write(ends[1], "x", 1) == 1 && epoll_wait(epoll, &event, 1, 1000) == 1;
    char byte = 0;
    ok = ok && read(ends[0], &byte, 1) == 1 && byte == 'x';
    std::vector<std::string> strings;  // small and large allocations, growing
    for (int i = 0; i < 100; ++i) strings.emplace_back(static_cast<std::size_t>(i) * 20000, 'y');
    ok = ok && fcntl(ends[0], F_DUPFD_CLOEXEC, 0) > 0;
    _exit(ok ? kSurvived : 1);
  });
  EXPECT_TRUE(end.exited);
  EXPECT_EQ(end.code, kSurvived);
  close(ends[0]), close(ends[1]), close(epoll);
}

TEST(Sandbox, AbortStillEndsInSigabrt) {
  const Ending end = sealed(bare(), [] { std::abort(); });
  EXPECT_FALSE(end.exited);
  EXPECT_EQ(end.code, SIGABRT);
}

TEST(Sandbox, RefusesRoot) {
  if (geteuid() != 0) GTEST_SKIP() << "not root";
  const Ending end = in_child([] {
    const auto result = os::enter(bare());
    return !result && result.error().code == Errc::Denied ? 1 : 2;
  });
  EXPECT_TRUE(end.exited);
  EXPECT_EQ(end.code, 1);
}

TEST(Sandbox, RefusesASavedRootUid) {
  if (geteuid() != 0) GTEST_SKIP() << "not root";
  const Ending end = in_child([] {
    if (setresuid(test::kNobody, test::kNobody, 0) != 0) return kNotSealed;
    return os::enter(bare()) ? 2 : 1;
  });
  EXPECT_EQ(end.code, 1);
}

TEST(Sandbox, ArgumentRulesAllowThatValueOnly) {
  os::Policy policy = bare();
  policy.calls = {{SCMP_SYS(socket), 0, AF_UNIX}};
  EXPECT_EQ(sealed(policy, [] { _exit(::socket(AF_UNIX, SOCK_STREAM, 0) >= 0 ? 3 : 4); }).code, 3);
  const Ending end = sealed(policy, [] { ::socket(AF_INET, SOCK_DGRAM, 0); });
  EXPECT_FALSE(end.exited);
  EXPECT_EQ(end.code, SIGSYS);
}

TEST(Sandbox, APolicyCannotAllowExecutableMemory) {
  os::Policy policy = bare();
  policy.calls = {{SCMP_SYS(mmap)}, {SCMP_SYS(mprotect)}};
  const auto map = [](int protection) {
    ::mmap(nullptr, 4096, protection, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  };
  EXPECT_EQ(sealed(policy, [&] { map(PROT_READ); }).code, kSurvived);
  EXPECT_EQ(sealed(policy, [&] { map(PROT_READ | PROT_EXEC); }).code, SIGSYS);
}

TEST(Sandbox, SoftRefusalsReturnAnError) {
  os::Policy policy = bare();
  policy.refused_softly = {SCMP_SYS(sysinfo)};
  const Ending end =
      sealed(policy, [] { _exit(syscall(SYS_sysinfo, nullptr) == -1 && errno == EPERM ? 3 : 4); });
  EXPECT_TRUE(end.exited);
  EXPECT_EQ(end.code, 3);
  EXPECT_EQ(sealed(bare(), [] { syscall(SYS_sysinfo, nullptr); }).code, SIGSYS);
}

// /proc/PID/status of a child that has sealed itself and waits.
struct Seen {
  std::map<std::string, std::string> status;
  std::string limits;
  uid_t owner = 0;
};

Seen look_at_sealed(const std::function<bool()>& prepare, const os::Policy& policy) {
  int ready[2], go[2];
  EXPECT_EQ(pipe(ready), 0);
  EXPECT_EQ(pipe(go), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    close(go[1]);
    const bool ok = prepare() && os::enter(policy).has_value();
    char byte = ok ? 'y' : 'n';
    if (write(ready[1], &byte, 1) != 1) _exit(1);
    while (read(go[0], &byte, 1) < 0) {
    }
    _exit(0);
  }
  char byte = 0;
  EXPECT_EQ(read(ready[0], &byte, 1), 1);
  EXPECT_EQ(byte, 'y');
  Seen seen;
  const std::string folder = "/proc/" + std::to_string(pid);
  std::istringstream lines(os::read_text(folder + "/status").value());
  for (std::string line; std::getline(lines, line);)
    if (const auto colon = line.find(":\t"); colon != std::string::npos)
      seen.status[line.substr(0, colon)] = line.substr(colon + 2);
  seen.limits = os::read_text(folder + "/limits").value();
  struct stat info {};
  EXPECT_EQ(stat((folder + "/fd").c_str(), &info), 0);
  seen.owner = info.st_uid;
  for (const int fd : {ready[0], ready[1], go[0], go[1]}) close(fd);
  EXPECT_EQ(test::wait_for(pid).code, 0);
  return seen;
}

TEST(Sandbox, StatusShowsNoPrivilegesAtAll) {
  os::Policy policy = bare();
  policy.max_descriptors = 61;
  Seen seen = look_at_sealed(test::become_nobody, policy);
  EXPECT_EQ(seen.status["NoNewPrivs"], "1");
  EXPECT_EQ(seen.status["Seccomp"], "2");
  for (const char* set : {"CapEff", "CapPrm", "CapInh", "CapAmb"})
    EXPECT_EQ(seen.status[set], "0000000000000000") << set;
  EXPECT_NE(seen.limits.find("Max open files            61                   61"),
            std::string::npos)
      << seen.limits;
  EXPECT_NE(seen.limits.find("Max core file size        0                    0"),
            std::string::npos);
  // Of a process that may not be dumped, /proc/PID belongs to root.
  if (os::sanitizer_calls().empty() && geteuid() == 0) {
    EXPECT_EQ(seen.owner, 0u);
  }
}

TEST(Sandbox, KeepsOnlyTheCapabilitiesOfThePolicy) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  os::Policy policy = bare();
  policy.capabilities = std::uint64_t{1} << CAP_NET_ADMIN;
  Seen seen = look_at_sealed(
      [] {
        if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || !test::become_nobody()) return false;
        capng_clear(CAPNG_SELECT_ALL);
        const auto sets = static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED);
        capng_updatev(CAPNG_ADD, sets, CAP_NET_ADMIN, CAP_SETPCAP, CAP_NET_RAW, -1);
        return capng_apply(CAPNG_SELECT_CAPS) == 0;
      },
      policy);
  EXPECT_EQ(seen.status["CapEff"], "0000000000001000");
  EXPECT_EQ(seen.status["CapPrm"], "0000000000001000");
  EXPECT_EQ(seen.status["CapBnd"], "0000000000000000");
  EXPECT_EQ(seen.status["CapInh"], "0000000000000000");
}

TEST(Sandbox, RefusesWhenItsCapabilityIsMissing) {
  os::Policy policy = bare();
  policy.capabilities = std::uint64_t{1} << CAP_NET_ADMIN;
  const Ending end = in_child([&] {
    if (!test::become_nobody()) return kNotSealed;
    return os::enter(policy) ? 2 : 1;
  });
  EXPECT_EQ(end.code, 1);
}

TEST(Sandbox, SanitizerCallsAreInSanitizerBuildsOnly) {
#if defined(WATTLE_SANITIZED)
  EXPECT_FALSE(os::sanitizer_calls().empty());
#else
  EXPECT_TRUE(os::sanitizer_calls().empty());
#endif
}

}  // namespace
}  // namespace wattle
