#include "tests/proc/sealcheck/injector.h"

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

namespace wattle::sealcheck {
namespace {

constexpr int kStay = PTRACE_O_TRACESYSGOOD;
constexpr int kForks = PTRACE_O_TRACEFORK;
constexpr int kSyscallStop = SIGTRAP | 0x80;

long trace(int request, pid_t pid, unsigned long address, unsigned long data) {
  return ::ptrace(static_cast<__ptrace_request>(request), pid, reinterpret_cast<void*>(address),
                  reinterpret_cast<void*>(data));
}

}  // namespace

std::string Outcome::text() const {
  if (killed) {
    const char* name = ::sigabbrev_np(signal);
    return std::string("SIG") + (name != nullptr ? name : "?");
  }
  if (value >= 0) return "ok";
  const char* name = ::strerrorname_np(static_cast<int>(-value));
  return name != nullptr ? name : std::to_string(value);
}

Injector::Injector(pid_t pid) : pid_(pid) {
  if (trace(PTRACE_SEIZE, pid, 0, kStay) != 0) {
    error_ = std::string("cannot trace: ") + std::strerror(errno);
    return;
  }
  trace(PTRACE_INTERRUPT, pid, 0, 0);
  int status = 0;
  if (::waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status)) {
    error_ = "did not stop";
    alive_ = false;
    return;
  }
  attached_ = trace(PTRACE_GETREGS, pid, 0, reinterpret_cast<unsigned long>(&saved_)) == 0 &&
              find_syscall();
}

Injector::Injector(pid_t pid, Forked) : pid_(pid), forked_(true) {
  int status = 0;
  if (::waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status)) {
    error_ = "the forked-off process did not stop";
    alive_ = false;
    return;
  }
  trace(PTRACE_SETOPTIONS, pid, 0, kStay | PTRACE_O_EXITKILL);
  attached_ = trace(PTRACE_GETREGS, pid, 0, reinterpret_cast<unsigned long>(&saved_)) == 0 &&
              find_syscall();
}

Injector::~Injector() {
  if (!alive_) return;
  if (forked_) {
    ::kill(pid_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, __WALL) == pid_ && !WIFEXITED(status) && !WIFSIGNALED(status)) {
    }
    return;
  }
  if (attached_) trace(PTRACE_SETREGS, pid_, 0, reinterpret_cast<unsigned long>(&saved_));
  trace(PTRACE_DETACH, pid_, 0, 0);
}

// The instruction 0F 05 somewhere in the code it runs: the C library is full of them.
bool Injector::find_syscall() {
  std::ifstream maps("/proc/" + std::to_string(pid_) + "/maps");
  const int memory =
      ::open(("/proc/" + std::to_string(pid_) + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  for (std::string line; std::getline(maps, line) && syscall_at_ == 0;) {
    if (line.find(" r-xp ") == std::string::npos || line.find("libc") == std::string::npos)
      continue;
    const std::uint64_t from = std::stoull(line, nullptr, 16);
    const std::uint64_t to = std::stoull(line.substr(line.find('-') + 1), nullptr, 16);
    std::vector<char> code(to - from);
    if (::pread(memory, code.data(), code.size(), static_cast<off_t>(from)) <= 0) continue;
    for (std::size_t i = 0; i + 1 < code.size(); ++i)
      if (code[i] == 0x0f && code[i + 1] == 0x05) {
        syscall_at_ = from + i;
        break;
      }
  }
  ::close(memory);
  if (syscall_at_ == 0) error_ = "no syscall instruction found";
  return syscall_at_ != 0;
}

bool Injector::suspend_filter(bool on) {
  return trace(PTRACE_SETOPTIONS, pid_, 0,
               kStay | kForks | (forked_ ? PTRACE_O_EXITKILL : 0) |
                   (on ? PTRACE_O_SUSPEND_SECCOMP : 0)) == 0;
}

long Injector::put(const std::string& bytes, long& at) {
  at -= static_cast<long>((bytes.size() + 31) / 16 * 16);
  const int memory = ::open(("/proc/" + std::to_string(pid_) + "/mem").c_str(), O_RDWR | O_CLOEXEC);
  const ssize_t n = ::pwrite(memory, bytes.data(), bytes.size(), at);
  ::close(memory);
  if (n != static_cast<ssize_t>(bytes.size())) error_ = "cannot write to its stack";
  return at;
}

Outcome Injector::run(user_regs_struct registers) {
  Outcome out;
  trace(PTRACE_SETREGS, pid_, 0, reinterpret_cast<unsigned long>(&registers));
  // The entry, the exit, and one instruction more: a filter that kills does so after the exit.
  for (int stops = 0; stops < 3;) {
    trace(stops == 2 ? PTRACE_SINGLESTEP : PTRACE_SYSCALL, pid_, 0, 0);
    int status = 0;
    if (::waitpid(pid_, &status, __WALL) != pid_) {
      out.killed = true;
      alive_ = false;
      return out;
    }
    if (WIFSIGNALED(status) || WIFEXITED(status)) {
      out.killed = true;
      out.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
      alive_ = false;
      return out;
    }
    if (WSTOPSIG(status) == kSyscallStop || (stops == 2 && WSTOPSIG(status) == SIGTRAP)) {
      ++stops;
      if (stops != 2) continue;
      user_regs_struct after{};
      trace(PTRACE_GETREGS, pid_, 0, reinterpret_cast<unsigned long>(&after));
      out.value = static_cast<long>(after.rax);
    } else if (status >> 16 == PTRACE_EVENT_FORK) {
      unsigned long child = 0;
      trace(PTRACE_GETEVENTMSG, pid_, 0, reinterpret_cast<unsigned long>(&child));
      new_child_ = static_cast<pid_t>(child);
    }
  }
  return out;
}

Outcome Injector::call(long number, std::array<Argument, 6> arguments) {
  user_regs_struct registers = saved_;
  long at = static_cast<long>(saved_.rsp & ~15ull) - 1024;
  std::array<long, 6> values{};
  for (std::size_t i = 0; i < 6; ++i)
    values[i] = arguments[i].is_memory ? put(arguments[i].bytes, at) : arguments[i].value;
  registers.orig_rax = ~0ull;
  registers.rax = static_cast<unsigned long long>(number);
  registers.rip = syscall_at_;
  registers.rdi = static_cast<unsigned long long>(values[0]);
  registers.rsi = static_cast<unsigned long long>(values[1]);
  registers.rdx = static_cast<unsigned long long>(values[2]);
  registers.r10 = static_cast<unsigned long long>(values[3]);
  registers.r8 = static_cast<unsigned long long>(values[4]);
  registers.r9 = static_cast<unsigned long long>(values[5]);
  return run(registers);
}

Outcome Injector::call_32(long number) {
  const long old = trace(PTRACE_PEEKTEXT, pid_, syscall_at_, 0);
  trace(PTRACE_POKETEXT, pid_, syscall_at_, (static_cast<unsigned long>(old) & ~0xfffful) | 0x80cd);
  user_regs_struct registers = saved_;
  registers.orig_rax = ~0ull;
  registers.rax = static_cast<unsigned long long>(number);
  registers.rip = syscall_at_;
  return run(registers);
}

pid_t Injector::fork_off() {
  if (!suspend_filter(true)) {
    error_ = std::string("this kernel cannot suspend a filter: ") + std::strerror(errno);
    return -1;
  }
  new_child_ = 0;
  const Outcome forked = call(SYS_fork, {0, 0, 0, 0, 0, 0});
  suspend_filter(false);
  if (!forked.ok() || new_child_ == 0) {
    error_ = "cannot fork it: " + forked.text();
    return -1;
  }
  return new_child_;
}

}  // namespace wattle::sealcheck
