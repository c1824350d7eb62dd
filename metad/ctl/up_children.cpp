#include "metad/ctl/up_children.h"

#include <sys/syscall.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <csignal>

#include "common/base/parse.h"
#include "common/os/file.h"
#include "metad/ctl/up_lock.h"
#include "metad/ctl/up_plan.h"

namespace wattle::ctl {
namespace {

std::vector<pid_t> children_of(pid_t parent) {
  const std::string own = std::to_string(parent);
  const auto text = os::read_text("/proc/" + own + "/task/" + own + "/children");
  std::vector<pid_t> out;
  if (!text) return out;
  for (const std::string_view word : split(*text, ' '))
    if (const auto pid = parse_decimal(word, 0x7fffffff)) out.push_back(static_cast<pid_t>(*pid));
  return out;
}

// The kernel keeps 15 characters of a program's name.
std::string program_of(pid_t pid) {
  const auto comm = os::read_text("/proc/" + std::to_string(pid) + "/comm");
  if (!comm) return {};
  const std::string name = comm->substr(0, comm->find('\n'));
  for (const DaemonPlan& plan : all_daemons())
    if (name == plan.program.substr(0, 15)) return std::string(plan.program);
  return {};
}

}  // namespace

Result<std::vector<Child>> find_children(const std::string& lock_path) {
  const os::Holder holder = WATTLE_TRY(os::find_holder(lock_path));
  std::vector<Child> out;
  for (const pid_t pid : children_of(holder.pid)) {
    Child child;
    child.pid = pid;
    child.process = os::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!child.process.is_open()) continue;
    // Looked at after the process was taken hold of: it is a child now, hence this one.
    child.program = program_of(pid);
    const auto still = children_of(holder.pid);
    if (child.program.empty() || std::find(still.begin(), still.end(), pid) == still.end())
      continue;
    out.push_back(std::move(child));
  }
  return out;
}

Result<void> send_signal(const Child& child, int signal) {
  if (::syscall(SYS_pidfd_send_signal, child.process.raw(), signal, nullptr, 0) == 0) return {};
  if (errno == EPERM) return Errc::Denied;
  return os::system_error("cannot reach " + child.program);
}

}  // namespace wattle::ctl
