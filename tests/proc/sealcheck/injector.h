// Makes a process of somebody else execute system calls as if it had called them itself, under its
// own user, filter and Landlock domain: root traces it, sets its registers and lets one `syscall`
// instruction run that it has anyway. Nothing of its program is changed.
#pragma once

#include <sys/types.h>
#include <sys/user.h>
#include <array>
#include <cstdint>
#include <string>

namespace wattle::sealcheck {

struct Outcome {
  bool killed = false;
  int signal = 0;            // of the end
  long value = 0;            // what the call returned: -errno on failure
  std::string text() const;  // "SIGSYS", "EACCES", "ok"
  bool ok() const { return !killed && value >= 0; }
};

// A value, or the address of a copy of `bytes` in the traced process.
struct Argument {
  Argument(long number) : value(number) {}                              // NOLINT: reads as a call
  Argument(int number) : value(number) {}                               // NOLINT
  Argument(unsigned long number) : value(static_cast<long>(number)) {}  // NOLINT
  Argument(const char* text)                                            // NOLINT
      : bytes(text, std::char_traits<char>::length(text) + 1), is_memory(true) {}
  Argument(std::string content) : bytes(std::move(content)), is_memory(true) {}  // NOLINT
  long value = 0;
  std::string bytes;
  bool is_memory = false;
};

class Injector {
 public:
  // Takes the process over and stops it. False with a reason in error().
  explicit Injector(pid_t pid);
  Injector(const Injector&) = delete;
  Injector& operator=(const Injector&) = delete;
  ~Injector();  // lets it go on where it was; kills a forked-off one
  bool is_attached() const { return attached_; }
  const std::string& error() const { return error_; }

  // A child of the process in the state it is in now, seal and all, which it never sees; it starts
  // stopped. Needs a kernel that can suspend the filter for the fork itself.
  pid_t fork_off();
  // Takes over a child that fork_off() made.
  struct Forked {};
  Injector(pid_t pid, Forked);

  // While suspended, the filter does not judge: what is refused is refused by something else.
  bool suspend_filter(bool on);

  Outcome call(long number, std::array<Argument, 6> arguments);
  // The same through the 32-bit entry (int 0x80); only for a forked-off process: its code is
  // written to.
  Outcome call_32(long number);
  bool is_alive() const { return alive_; }
  pid_t pid() const { return pid_; }

 private:
  bool find_syscall();
  Outcome run(user_regs_struct registers);
  long put(const std::string& bytes, long& at);

  pid_t pid_;
  bool attached_ = false, alive_ = true, forked_ = false;
  std::string error_;
  user_regs_struct saved_{};
  std::uint64_t syscall_at_ = 0;
  pid_t new_child_ = 0;
};

}  // namespace wattle::sealcheck
