#include "metad/ctl/up_spawn.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "common/os/file.h"
#include "common/os/log.h"

namespace wattle::ctl {
namespace {

constexpr int kExitConfig = 78;
constexpr int kFirst = 3;  // of LISTEN_FDS

[[noreturn]] void give_up(const SpawnRequest& request, const char* what) {
  os::log::error("cannot start " + request.path + ": " + what + ": " + std::strerror(errno));
  ::_exit(kExitConfig);
}

void place_descriptors(const SpawnRequest& request) {
  const int count = static_cast<int>(request.descriptors.size());
  std::vector<int> copies;
  for (const auto& [name, fd] : request.descriptors) {
    const int copy = ::fcntl(fd, F_DUPFD, kFirst + count);
    if (copy < 0) give_up(request, "copying a descriptor");
    copies.push_back(copy);
  }
  for (int i = 0; i < count; ++i)
    if (::dup2(copies[static_cast<std::size_t>(i)], kFirst + i) < 0)
      give_up(request, "placing a descriptor");
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0 || ::dup2(null, 0) < 0) give_up(request, "opening /dev/null");
  // stdout and stderr stay: the log.
  if (::close_range(static_cast<unsigned>(kFirst + count), ~0u, 0) != 0)
    give_up(request, "closing descriptors");
}

// From root to the daemon's user with at most CAP_NET_ADMIN.
void drop_rights(const SpawnRequest& request) {
  const bool admin = request.plan->net_admin;
  if (request.uid == 0 || request.gid == 0) {
    errno = EINVAL;
    give_up(request, "a daemon must not run as root");
  }
  for (int capability = 0; ::prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability)
    if (!(admin && capability == CAP_NET_ADMIN) &&
        ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0)
      give_up(request, "reducing the capability bounding set");
  if (::prctl(PR_SET_KEEPCAPS, admin ? 1 : 0, 0, 0, 0) != 0)
    give_up(request, "keeping CAP_NET_ADMIN");
  if (::setgroups(0, nullptr) != 0) give_up(request, "leaving all groups");
  if (::setresgid(request.gid, request.gid, request.gid) != 0)
    give_up(request, "changing the group");
  if (::setresuid(request.uid, request.uid, request.uid) != 0)
    give_up(request, "changing the user");
  capng_clear(CAPNG_SELECT_CAPS);
  if (admin)
    capng_updatev(CAPNG_ADD,
                  static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE),
                  CAP_NET_ADMIN, -1);
  if (capng_apply(CAPNG_SELECT_CAPS) != 0) give_up(request, "dropping capabilities");
  if (admin && ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0) != 0)
    give_up(request, "raising CAP_NET_ADMIN");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up(request, "no_new_privs");
}

[[noreturn]] void become_daemon(const SpawnRequest& request, pid_t supervisor) {
  ::setsid();  // a terminal's ^C goes to the supervisor only, which stops all in order
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  // `wattle log` may meet a daemon that has only begun to start (common/os/log.h).
  for (const int signal : {SIGUSR1, SIGUSR2}) ::signal(signal, SIG_IGN);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::umask(077);
  const rlimit no_core{0, 0};
  if (::setrlimit(RLIMIT_CORE, &no_core) != 0) give_up(request, "forbidding core dumps");
  // So that it can lock what is secret. Root without CAP_SYS_RESOURCE (in a container) may not
  // raise it; the daemon then says what that means.
  const rlimit no_limit{RLIM_INFINITY, RLIM_INFINITY};
  static_cast<void>(::setrlimit(RLIMIT_MEMLOCK, &no_limit));
  if (request.plan->own_network && ::unshare(CLONE_NEWNET) != 0)
    os::log::warning("cannot give " + request.path +
                         " a network namespace of its own; it runs with its seccomp policy only",
                     {{os::log::Key::Err, std::strerror(errno)}});
  if (::chdir("/") != 0) give_up(request, "changing to /");
  place_descriptors(request);
  drop_rights(request);
  // Only now: a change of user clears it. The supervisor may have died in between.
  if (::prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0) give_up(request, "PR_SET_PDEATHSIG");
  if (::getppid() != supervisor) ::_exit(0);

  EnvironmentPlan environment{{}, request.notify_path, request.watchdog_us};
  for (const auto& [name, fd] : request.descriptors) environment.descriptor_names.push_back(name);
  std::vector<std::string> variables = make_environment(environment, ::getpid());
  std::vector<std::string> arguments = {std::string(request.plan->program)};
  if (!request.plan->verb.empty()) arguments.emplace_back(request.plan->verb);
  arguments.insert(arguments.end(), {"--net", request.network});
  std::vector<char*> argv, envp;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  for (std::string& variable : variables) envp.push_back(variable.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  ::execve(request.path.c_str(), argv.data(), envp.data());
  give_up(request, "exec");
}

}  // namespace

Result<pid_t> spawn(const SpawnRequest& request) {
  const pid_t supervisor = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return os::system_error("cannot fork for " + request.path);
  if (pid == 0) become_daemon(request, supervisor);
  return pid;
}

}  // namespace wattle::ctl
