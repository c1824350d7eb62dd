#include "metad/ctl/up_systemd.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/os/log.h"
#include "common/os/paths.h"
#include "metad/ctl/up_plan.h"

namespace wattle::ctl {
namespace {

// The exit code of systemctl with these arguments; 1, told, if it cannot be run.
int systemctl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "systemctl");
  const auto code = run_program(arguments);
  if (code) return code.value();
  os::log::error(code.error().text());
  return 1;
}

constexpr int kExitTimeout = 7;
constexpr Duration kStartLimit = std::chrono::seconds(15);  // as without systemd

// Ready means active (Type=notify). 0, 1 if it has failed for good, or 7 at the limit.
int wait_until_active(const std::string& unit, Instant limit) {
  while (systemctl({"is-active", "--quiet", unit}) != 0) {
    if (systemctl({"is-failed", "--quiet", unit}) == 0) return 1;
    if (os::now() >= limit) return kExitTimeout;
    ::usleep(50'000);
  }
  return 0;
}

std::string target_of(const std::string& network) { return "wattle@" + network + ".target"; }

}  // namespace

bool systemd_runs() { return os::exists("/run/systemd/system"); }

Result<int> run_program(const std::vector<std::string>& arguments) {
  std::vector<std::string> copies = arguments;
  std::vector<char*> argv;
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);
  char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  char language[] = "LANG=C.UTF-8";
  char* environment[] = {path, language, nullptr};
  pid_t pid = -1;
  const int failed = ::posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environment);
  if (failed != 0)
    return Error(Errc::System, "cannot run " + arguments[0] + ": " + std::strerror(failed));
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return os::system_error("cannot wait for " + arguments[0]);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int systemd_up(const std::string& network) {
  if (systemctl({"enable", "--now", target_of(network)}) != 0) {
    os::log::error("systemd cannot start the network " + network + "; see: systemctl status " +
                   target_of(network));
    return 1;
  }
  const os::Paths paths(network);
  const Instant limit = os::now() + kStartLimit;
  for (const DaemonPlan& plan : all_daemons()) {
    if (!os::exists(plan.of_member ? paths.member() : paths.registry_config())) continue;
    const std::string unit = std::string(plan.program) + "@" + network + ".service";
    if (const int code = wait_until_active(unit, limit); code != 0) {
      os::log::error(unit + (code == kExitTimeout ? " is not ready yet" : " has failed") +
                     "; see: journalctl -u " + unit);
      return code;
    }
  }
  return 0;
}

bool systemd_is_up(const std::string& network) {
  return systemctl({"is-active", "--quiet", target_of(network)}) == 0;
}

int systemd_down(const std::string& network) {
  if (!systemd_is_up(network)) {
    os::log::error("the network " + network + " is not up");
    return 3;
  }
  if (systemctl({"disable", "--now", target_of(network)}) != 0) return 1;
  // The target's end does not wait for what it wants.
  return systemctl(
             {"stop", "wattle-*@" + network + ".service", "wattle-*@" + network + ".socket"}) == 0
             ? 0
             : 1;
}

}  // namespace wattle::ctl
