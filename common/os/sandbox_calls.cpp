// The system calls every daemon keeps. One line for each: why. man/wattle-privsep.7 lists them,
// too.
#include <fcntl.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/os/sandbox.h"

namespace wattle::os {

std::vector<AllowedCall> base_calls() {
  const auto self = static_cast<std::uint64_t>(::getpid());
  return {
      // descriptors that are open
      {SCMP_SYS(read)},
      {SCMP_SYS(write)},
      {SCMP_SYS(readv)},
      {SCMP_SYS(writev)},
      {SCMP_SYS(recvmsg)},
      {SCMP_SYS(sendmsg)},
      {SCMP_SYS(close)},
      {SCMP_SYS(fcntl), 1, F_GETFL},
      {SCMP_SYS(fcntl), 1, F_SETFL},
      {SCMP_SYS(fcntl), 1, F_SETFD},
      {SCMP_SYS(fcntl), 1, F_DUPFD_CLOEXEC},  // descriptors of a message that has to wait
      // waiting
      {SCMP_SYS(epoll_wait)},
      {SCMP_SYS(epoll_pwait)},
      {SCMP_SYS(epoll_ctl)},
      {SCMP_SYS(poll)},
      {SCMP_SYS(ppoll)},
      {SCMP_SYS(restart_syscall)},
      {SCMP_SYS(clock_nanosleep)},
      {SCMP_SYS(sched_yield)},
      // memory; mmap only without a file behind it
      {SCMP_SYS(mmap), 3, MAP_PRIVATE | MAP_ANONYMOUS},
      {SCMP_SYS(mmap), 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE},
      {SCMP_SYS(mprotect)},
      {SCMP_SYS(munmap)},
      {SCMP_SYS(mremap)},
      {SCMP_SYS(brk)},
      {SCMP_SYS(madvise), 2, MADV_DONTNEED},  // malloc gives memory back; nothing else
      {SCMP_SYS(futex)},
      // clocks: the vDSO falls back to these where the clock source is not readable from user space
      {SCMP_SYS(clock_gettime)},
      {SCMP_SYS(gettimeofday)},
      {SCMP_SYS(time)},
      {SCMP_SYS(getrandom)},
      // itself: abort() and OpenSSL's fork check
      {SCMP_SYS(getpid)},
      {SCMP_SYS(gettid)},
      {SCMP_SYS(tgkill), 0, self},
      {SCMP_SYS(rt_sigprocmask)},
      {SCMP_SYS(rt_sigaction)},
      {SCMP_SYS(rt_sigreturn)},
      {SCMP_SYS(exit)},
      {SCMP_SYS(exit_group)},
  };
}

std::vector<AllowedCall> sanitizer_calls() {
#if defined(WATTLE_SANITIZED) || defined(__SANITIZE_ADDRESS__)
  return {
      {SCMP_SYS(mmap)},  // shadow memory: other flags (still never PROT_EXEC)
      {SCMP_SYS(madvise)},
      {SCMP_SYS(sigaltstack)},
      {SCMP_SYS(open)},
      {SCMP_SYS(openat)},  // symbols and /proc/self for reports and the leak check
      {SCMP_SYS(newfstatat)},
      {SCMP_SYS(fstat)},
      {SCMP_SYS(stat)},
      {SCMP_SYS(lseek)},
      {SCMP_SYS(pread64)},
      {SCMP_SYS(readlink)},
      {SCMP_SYS(readlinkat)},
      {SCMP_SYS(getdents)},
      {SCMP_SYS(getdents64)},
      {SCMP_SYS(ioctl), 1, 0x5401},  // TCGETS: is stderr a terminal?
      {SCMP_SYS(getrlimit)},
      {SCMP_SYS(prlimit64)},
      {SCMP_SYS(sched_getaffinity)},
      {SCMP_SYS(prctl)},
      {SCMP_SYS(process_vm_readv)},
      {SCMP_SYS(pipe2)},
      {SCMP_SYS(pipe)},
      // LeakSanitizer stops the process with a tracing thread at exit.
      {SCMP_SYS(clone)},
      {SCMP_SYS(ptrace)},
      {SCMP_SYS(wait4)},
      {SCMP_SYS(getppid)},
      {SCMP_SYS(set_robust_list)},
      {SCMP_SYS(rseq)},
  };
#else
  return {};
#endif
}

}  // namespace wattle::os
