#include "metad/ctl/up.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "common/base/parse.h"
#include "common/os/file.h"
#include "common/os/log.h"
#include "common/os/paths.h"
#include "metad/ctl/up_leftovers.h"
#include "metad/ctl/up_lock.h"
#include "metad/ctl/up_log.h"
#include "metad/ctl/up_supervisor.h"
#include "metad/ctl/up_systemd.h"

namespace wattle::ctl {
namespace {

constexpr int kExitUsage = 2;
constexpr int kExitNotRunning = 3;
constexpr int kExitNotJoined = 4;
constexpr int kExitTimeout = 7;
using os::kExitLocked;
constexpr int kExitNotRoot = 77;
constexpr int kStartPatienceMs = 20'000;  // the supervisor itself tells after 15 s
constexpr int kEndPatienceMs = 5000;
constexpr int kStopPatienceMs = 5'000;

int say(int code, const std::string& sentence) {
  std::fprintf(stderr, "wattle: %s\n", sentence.c_str());
  return code;
}

struct Arguments {
  std::string network;
  bool foreground = false;
};

Result<Arguments> parse_arguments(const std::vector<std::string>& args, bool may_foreground) {
  const std::string usage =
      may_foreground ? "usage: wattle up NET [--foreground]" : "usage: wattle down NET";
  Arguments out;
  for (const std::string& argument : args) {
    if (may_foreground && argument == "--foreground") {
      out.foreground = true;
    } else if (out.network.empty() && is_network_name(argument)) {
      out.network = argument;
    } else {
      return Error(Errc::BadSyntax, usage);
    }
  }
  if (out.network.empty()) return Error(Errc::BadSyntax, usage);
  return out;
}

// The part of the new instance: everything is its own but the lock.
int supervise(const std::string& network, const std::string& programs, InstanceLock& lock,
              const std::function<void(const StartReport&)>& report) {
  ::umask(022);
  ::prctl(PR_SET_NAME, "wattle", 0, 0, 0);  // join and init start it as /proc/self/exe
  os::log::open("up");
  if (const auto written = lock.write_pid(); !written) {
    report({1, written.error().text()});
    return 1;
  }
  end_leftovers(network);
  return Supervisor(network, programs, report).run();
}

// Pipe message: the exit code in one byte, then the sentence.
void send_report(int pipe, const StartReport& report) {
  std::string text(1, static_cast<char>(report.code));
  text += report.sentence.substr(0, 2000);
  [[maybe_unused]] const ssize_t sent = ::write(pipe, text.data(), text.size());
}

[[noreturn]] void detach(const Arguments& arguments, const std::string& programs,
                         InstanceLock& lock, const os::Fd& log, os::Fd pipe) {
  ::setsid();
  const pid_t instance = ::fork();
  if (instance != 0) ::_exit(instance < 0 ? 1 : 0);
  const os::Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  ::dup2(null.raw(), STDIN_FILENO);
  ::dup2(log.raw(), STDOUT_FILENO);
  ::dup2(log.raw(), STDERR_FILENO);
  [[maybe_unused]] const int moved = ::chdir("/");
  ::_exit(supervise(arguments.network, programs, lock, [&](const StartReport& report) {
    send_report(pipe.raw(), report);
    if (report.code == 0) pipe.close();  // else it ends with this process
  }));
}

// What the new instance reports, or why nothing came.
StartReport await_report(const os::Fd& pipe) {
  pollfd watched{pipe.raw(), POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&watched, 1, kStartPatienceMs);
  } while (ready < 0 && errno == EINTR);
  char text[2048];
  const ssize_t size = ready > 0 ? ::read(pipe.raw(), text, sizeof text) : 0;
  if (size > 0)
    return {static_cast<unsigned char>(text[0]),
            std::string(text + 1, static_cast<std::size_t>(size) - 1)};
  if (ready > 0) return {1, "the supervisor ended before the network was up"};
  return {kExitTimeout, "the supervisor does not answer"};
}

// An instance that could not come up holds its lock until it has ended: whoever starts the next one
// at once shall not meet it.
void await_end(const os::Fd& pipe) {
  char rest[64];
  for (pollfd watched{pipe.raw(), POLLIN, 0}; ::poll(&watched, 1, kEndPatienceMs) > 0;)
    if (::read(pipe.raw(), rest, sizeof rest) <= 0) return;
}

int start_detached(const Arguments& arguments, const std::string& programs, InstanceLock lock,
                   const std::string& run) {
  const std::string log_path = run + "/log";
  auto opened = open_log(log_path);
  if (!opened) return say(1, opened.error().text());
  const std::int64_t log_start = log_size(log_path);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return say(1, os::system_error("cannot make a pipe").text());
  const os::Fd reading(ends[0]);
  os::Fd writing(ends[1]);
  const pid_t middle = ::fork();
  if (middle < 0) return say(1, os::system_error("cannot fork").text());
  if (middle == 0) detach(arguments, programs, lock, *opened, std::move(writing));
  writing.close();
  while (::waitpid(middle, nullptr, 0) < 0 && errno == EINTR) {
  }
  const StartReport report = await_report(reading);
  if (report.code == 0) return 0;
  await_end(reading);
  std::fputs(read_log_since(log_path, log_start).c_str(), stderr);
  return say(report.code, report.sentence + " (log: " + log_path + ")");
}

}  // namespace

int run_up(const std::vector<std::string>& args) {
  const auto arguments = parse_arguments(args, true);
  if (!arguments) return say(kExitUsage, arguments.error().text());
  if (::geteuid() != 0) return say(kExitNotRoot, "wattle up must be run by root");
  const os::Paths paths(arguments->network);
  if (!os::exists(paths.member()) && !os::exists(paths.registry_config()))
    return say(kExitNotJoined, "this host is neither a member of the network " +
                                   arguments->network +
                                   " nor its registry; join it with: "
                                   "wattle join URL");
  if (systemd_runs()) {
    if (!arguments->foreground) return systemd_up(arguments->network);
    if (systemd_is_up(arguments->network))
      return say(kExitLocked, "systemd runs the network " + arguments->network +
                                  " already; stop it with: wattle down " + arguments->network);
  }
  const std::string programs = os::program_folder();
  ::umask(022);
  for (const std::string& folder : {paths.run.substr(0, paths.run.rfind('/')), paths.run})
    if (const auto made = os::make_folder(folder, 0755, 0, 0); !made)
      return say(1, made.error().text());
  auto lock = InstanceLock::take(paths.run + "/lock", arguments->network);
  if (!lock) return say(lock.error().code == Errc::Exists ? kExitLocked : 1, lock.error().text());
  if (!arguments->foreground)
    return start_detached(*arguments, programs, std::move(lock).value(), paths.run);
  return supervise(arguments->network, programs, *lock, [](const StartReport&) {});
}

int run_up_afresh(const std::string& network) {
  std::string name = "wattle", verb = "up", argument = network;
  char* const argv[] = {name.data(), verb.data(), argument.data(), nullptr};
  pid_t child = 0;
  if (const int error = ::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, argv, environ)) {
    errno = error;
    return say(1, os::system_error("cannot run wattle up " + network).text());
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return 1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int run_down(const std::vector<std::string>& args) {
  const auto arguments = parse_arguments(args, false);
  if (!arguments) return say(kExitUsage, arguments.error().text());
  if (::geteuid() != 0) return say(kExitNotRoot, "wattle down must be run by root");
  const std::string& network = arguments->network;
  const auto holder = os::find_holder(os::Paths(network).run + "/lock");
  if (!holder && holder.error().code == Errc::NotFound) {
    if (systemd_runs()) return systemd_down(network);
    return say(kExitNotRunning, "the network " + network + " is not up");
  }
  if (!holder)
    return say(holder.error().code == Errc::Again ? kExitLocked : 1, holder.error().text());
  const int process = holder->process.raw();
  if (::syscall(SYS_pidfd_send_signal, process, SIGTERM, nullptr, 0) != 0 && errno != ESRCH)
    return say(1, os::system_error("cannot signal process " + std::to_string(holder->pid)).text());
  pollfd watched{process, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&watched, 1, kStopPatienceMs);
  } while (ready < 0 && errno == EINTR);
  if (ready > 0) return 0;
  return say(kExitTimeout, "process " + std::to_string(holder->pid) +
                               " has not stopped the network " + network + " within 5 s");
}

}  // namespace wattle::ctl
