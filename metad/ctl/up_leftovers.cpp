#include "metad/ctl/up_leftovers.h"

#include <dirent.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <chrono>
#include <csignal>
#include <memory>
#include <vector>

#include "common/base/parse.h"
#include "common/os/clock.h"
#include "common/os/fd.h"
#include "common/os/file.h"
#include "common/os/log.h"
#include "common/os/paths.h"
#include "common/os/users.h"
#include "metad/ctl/up_plan.h"

namespace wattle::ctl {
namespace {

using std::chrono::milliseconds;

constexpr Duration kPatience = milliseconds(500);
constexpr Duration kAfterKill = milliseconds(1000);

struct Leftover {
  pid_t pid = 0;
  std::string program;
  os::Fd process;
};

// The real uid; daemons are not dumpable, so their /proc files belong to root.
bool runs_as(const std::string& folder, uid_t uid) {
  const auto status = os::read_text(folder + "/status");
  if (!status) return false;
  const std::size_t at = status->find("\nUid:\t");
  if (at == std::string::npos) return false;
  const std::string_view rest = std::string_view(*status).substr(at + 6);
  const auto real = parse_decimal(rest.substr(0, rest.find('\t')), UINT32_MAX);
  return real && *real == uid;
}

// The kernel keeps 15 characters of a program's name.
bool runs_program(const std::string& folder, std::string_view program) {
  const auto name = os::read_text(folder + "/comm");
  return name && name->substr(0, name->find('\n')) == program.substr(0, 15);
}

bool same_pid_space(const std::string& folder) {
  struct stat own {
  }, other{};
  return ::stat("/proc/self/ns/pid", &own) == 0 &&
         ::stat((folder + "/ns/pid").c_str(), &other) == 0 && own.st_ino == other.st_ino &&
         own.st_dev == other.st_dev;
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> out;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  if (!folder) return out;
  while (const dirent* entry = ::readdir(folder.get()))
    if (const auto pid = parse_decimal(entry->d_name, 0x7fffffff))
      out.push_back(static_cast<pid_t>(*pid));
  return out;
}

std::vector<Leftover> find_leftovers(const std::string& network) {
  std::vector<Leftover> out;
  for (const DaemonPlan& plan : all_daemons()) {
    const auto user = os::find_user(os::user_name(network, plan.part));
    if (!user || user->uid == 0) continue;
    for (const pid_t pid : all_processes()) {
      const std::string folder = "/proc/" + std::to_string(pid);
      if (!runs_program(folder, plan.program)) continue;
      os::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
      // Looked at after it was taken hold of: so it is this one.
      if (process.is_open() && runs_program(folder, plan.program) && runs_as(folder, user->uid) &&
          same_pid_space(folder))
        out.push_back({pid, std::string(plan.program), std::move(process)});
    }
  }
  return out;
}

bool ended(const Leftover& leftover, Instant deadline) {
  pollfd watched{leftover.process.raw(), POLLIN, 0};
  const auto ms = std::chrono::ceil<milliseconds>(deadline - os::now()).count();
  return ::poll(&watched, 1, ms > 0 ? static_cast<int>(ms) : 0) > 0;
}

}  // namespace

void end_leftovers(const std::string& network) {
  const auto leftovers = find_leftovers(network);
  const Instant deadline = os::now() + kPatience;
  for (const Leftover& leftover : leftovers) {
    if (ended(leftover, deadline)) continue;
    os::log::warning(leftover.program + " of an instance that is dead still ran; killing it",
                     {{os::log::Key::Pid, std::to_string(leftover.pid)}});
    ::syscall(SYS_pidfd_send_signal, leftover.process.raw(), SIGKILL, nullptr, 0);
    if (!ended(leftover, os::now() + kAfterKill))
      os::log::error(leftover.program + " does not end",
                     {{os::log::Key::Pid, std::to_string(leftover.pid)}});
  }
}

}  // namespace wattle::ctl
