#include "tests/proc/sealcheck/launcher.h"

#include <cap-ng.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/os/paths.h"
#include "common/os/socket_address.h"
#include "common/os/users.h"
#include "metad/ctl/conf_template.h"

namespace wattle::sealcheck {
namespace {

constexpr int kFirst = 3;
constexpr Duration kStartLimit = std::chrono::seconds(20);

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "sealcheck: %s\n", why.c_str());
  std::exit(2);
}

int group_of(std::string_view caller, const std::string& network) {
  if (caller == "root") return 0;
  const auto group =
      os::find_group(caller == "look" ? os::kLookGroup : os::user_name(network, caller));
  return group ? static_cast<int>(*group) : 0;
}

os::Fd must(Result<os::Fd> made) {
  if (!made) fail(made.error().text());
  return std::move(*made);
}

std::string short_name(const ctl::DaemonPlan& plan) {
  return std::string(plan.program.substr(std::string_view("wattle-").size()));
}

}  // namespace

Launcher::Launcher(std::string network, std::string programs)
    : network_(std::move(network)), programs_(std::move(programs)) {
  run_ = os::Paths(network_).run;
  if (const auto made = os::make_folder(run_, 0755, 0, 0); !made) fail(made.error().text());
  if (const auto conf = os::read_text(os::Paths(network_).registry_config()); conf) {
    auto wanted = ctl::values_of_conf(*conf, "listen");
    if (wanted.empty()) wanted = {"0.0.0.0:8443"};
    for (const std::string& at : wanted)
      https_.push_back(must(os::listen_tcp(WATTLE_MUST(Endpoint::parse(at)))));
  }
  for (const ctl::DaemonPlan& plan : ctl::all_daemons())
    for (const ctl::SocketPlan& socket : plan.sockets)
      sockets_[std::string(socket.file)] = must(os::listen_unix(
          run_ + "/" + std::string(socket.file), socket.kind, socket.caller == "root" ? 0600 : 0660,
          0, group_of(socket.caller, network_)));
}

Launcher::~Launcher() {
  while (!running_.empty()) stop(running_.begin()->first);
  for (const auto& [file, socket] : sockets_) ::unlink((run_ + "/" + file).c_str());
  for (const auto& [part, socket] : notify_) ::unlink((run_ + "/notify." + part).c_str());
}

std::vector<std::string> Launcher::names() const {
  const os::Paths paths(network_);
  std::vector<std::string> out;
  for (const char* name : {"tapd", "cryptod", "keyd", "metad", "registry", "signer"})
    if (os::exists(plan_of(name).of_member ? paths.member() : paths.registry_config()))
      out.emplace_back(name);
  const auto forbidden = os::read_text("/proc/sys/kernel/io_uring_disabled");
  if (os::exists(paths.member()) && forbidden && forbidden->starts_with("0"))
    out.emplace_back(kWithRing);
  return out;
}

const ctl::DaemonPlan& Launcher::plan_of(const std::string& given) const {
  const std::string name = given == kWithRing ? "cryptod" : given;
  for (const ctl::DaemonPlan& plan : ctl::all_daemons())
    if (short_name(plan) == name) return plan;
  fail("there is no daemon " + name);
}

uid_t Launcher::uid_of(const std::string& name) const {
  const auto user = os::find_user(os::user_name(network_, plan_of(name).part));
  if (!user) fail(user.error().text());
  return user->uid;
}

void Launcher::become(const ctl::DaemonPlan& plan, bool with_ring) {
  const auto user = os::find_user(os::user_name(network_, plan.part));
  if (!user) fail(user.error().text());
  if (plan.own_network && ::unshare(CLONE_NEWNET) != 0) fail("unshare");
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  ::setrlimit(RLIMIT_MEMLOCK, &unlimited);
  ::setrlimit(RLIMIT_CORE, &unlimited);
  std::vector<std::string> names;
  std::vector<int> copies;
  for (const ctl::SocketPlan& socket : plan.sockets) {
    names.emplace_back(socket.name);
    copies.push_back(::fcntl(sockets_.at(std::string(socket.file)).raw(), F_DUPFD, 100));
  }
  if (plan.https)
    for (const os::Fd& socket : https_) {
      names.emplace_back("https");
      copies.push_back(::fcntl(socket.raw(), F_DUPFD, 100));
    }
  if (plan.net_admin) {
    names.emplace_back("tun");
    copies.push_back(::fcntl(::open("/dev/net/tun", O_RDWR), F_DUPFD, 100));
  }
  for (std::size_t i = 0; i < copies.size(); ++i) ::dup2(copies[i], kFirst + static_cast<int>(i));
  ::close_range(static_cast<unsigned>(kFirst) + static_cast<unsigned>(copies.size()), ~0u, 0);
  const int null = ::open("/dev/null", O_RDWR);
  ::dup2(null, 0);
  ::close(null);
  // The whole bounding set stays, and capabilities that no daemon needs.
  ::setgroups(0, nullptr);
  ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
  if (::setresgid(user->gid, user->gid, user->gid) != 0 ||
      ::setresuid(user->uid, user->uid, user->uid) != 0)
    fail("cannot become the daemon's user");
  capng_clear(CAPNG_SELECT_CAPS);
  const auto sets =
      static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE);
  for (const unsigned capability : {CAP_NET_ADMIN, CAP_SETPCAP, CAP_SYS_PTRACE, CAP_KILL})
    capng_update(CAPNG_ADD, sets, capability);
  capng_apply(CAPNG_SELECT_CAPS);
  for (const unsigned capability : {CAP_NET_ADMIN, CAP_SETPCAP, CAP_SYS_PTRACE, CAP_KILL})
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0);

  std::vector<std::string> environment =
      ctl::make_environment({names, run_ + "/notify." + std::string(plan.part), 0}, ::getpid());
  if (const char* mutant = std::getenv("WATTLE_MUTANT"))
    environment.push_back(std::string("WATTLE_MUTANT=") + mutant);
  std::vector<std::string> words = {std::string(plan.program)};
  if (!plan.verb.empty()) words.emplace_back(plan.verb);
  words.insert(words.end(), {"--net", network_, "--log-level", "error"});
  if (with_ring) words.emplace_back("--io=uring");
  std::vector<char*> argv, envp;
  for (std::string& word : words) argv.push_back(word.data());
  for (std::string& variable : environment) envp.push_back(variable.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  const std::string path = programs_ + "/" + std::string(plan.program);
  ::execve(path.c_str(), argv.data(), envp.data());
  fail("cannot start " + path);
}

pid_t Launcher::start(const std::string& name) {
  stop(name);
  const ctl::DaemonPlan& plan = plan_of(name);
  const std::string part(plan.part);
  if (!notify_.contains(part))
    notify_[part] = must(os::listen_unix(run_ + "/notify." + part, os::SocketKind::Datagram, 0600,
                                         static_cast<int>(uid_of(name)), 0));
  const os::Fd& notify = notify_[part];
  const pid_t pid = ::fork();
  if (pid == 0) become(plan, name == kWithRing);
  running_[name] = pid;
  const Instant limit = os::now() + kStartLimit;
  while (os::now() < limit) {
    pollfd watched{notify.raw(), POLLIN, 0};
    ::poll(&watched, 1, 20);
    while (const auto message = os::receive_message(notify.raw(), 4096))
      if (as_text(message->bytes).find("READY=1") != std::string_view::npos) return pid;
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) == pid) {
      running_.erase(name);
      last_exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      error_ = name + " ended with " + std::to_string(last_exit_) + " before it was ready";
      return -1;
    }
  }
  stop(name);
  error_ = name + " was not ready in time";
  return -1;
}

void Launcher::stop(const std::string& name) {
  const auto it = running_.find(name);
  if (it == running_.end()) return;
  ::kill(it->second, SIGKILL);
  ::waitpid(it->second, nullptr, __WALL);
  running_.erase(it);
}

}  // namespace wattle::sealcheck
