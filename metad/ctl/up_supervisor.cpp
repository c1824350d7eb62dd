#include "metad/ctl/up_supervisor.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/os/log.h"
#include "metad/ctl/up_daemon.h"
#include "metad/ctl/up_log.h"

namespace wattle::ctl {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kExitTimeout = 7;
constexpr int kExitNotJoined = 4;
constexpr int kExitNoTun = 15;
constexpr int kExitConfig = 78;
constexpr Duration kStartLimit = seconds(15);
constexpr Duration kReadyLimit = seconds(90);  // a daemon that never gets READY is started anew
constexpr Duration kKillAfter = milliseconds(1500);
constexpr Duration kLogPeriod = seconds(60);

}  // namespace

Supervisor::Supervisor(std::string network, std::string programs,
                       std::function<void(const StartReport&)> report)
    : network_(std::move(network)),
      programs_(std::move(programs)),
      paths_(network_),
      report_(std::move(report)) {}

Supervisor::~Supervisor() = default;

int Supervisor::run() {
  if (const auto prepared = prepare(); !prepared) {
    const Errc code = prepared.error().code;
    tell(code == Errc::Config     ? kExitConfig
         : code == Errc::NotFound ? kExitNotJoined
                                  : 1,
         prepared.error().text());
    stopping_ = true;
  }
  start_limit_ = os::now() + kStartLimit;
  look_at_log_ = os::now() + kLogPeriod;
  while (!stopping_ || any_running()) {
    const Instant now = os::now();
    for (auto& daemon : daemons_)
      if (daemon->wants_start(now) && !stopping_) start(*daemon, now);
    check_deadlines(now);
    check_start(now);
    if (stopping_ && !any_running()) break;
    wait(now);
  }
  for (auto& daemon : daemons_) daemon->remove_sockets(paths_.run);
  os::log::notice("the network is down", {{os::log::Key::Net, network_}});
  return exit_code_;
}

Result<void> Supervisor::prepare() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) sigaddset(&set, signal);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return os::system_error("sigprocmask");
  ::signal(SIGPIPE, SIG_IGN);
  signals_ = os::Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals_.is_open()) return os::system_error("cannot open a signal descriptor");
  return refresh();
}

Result<void> Supervisor::refresh() {
  const bool member = os::exists(paths_.member());
  const bool registry = os::exists(paths_.registry_config());
  if (!member && !registry && daemons_.empty())
    return Error(Errc::NotFound, "this host is neither a member of the network " + network_ +
                                     " nor its registry: there is no " + paths_.member() +
                                     "; join it with: wattle join URL");
  for (const DaemonPlan& plan : all_daemons()) {
    const bool wanted = plan.of_member ? member : registry;
    Daemon* known = nullptr;
    for (auto& daemon : daemons_)
      if (daemon->plan == &plan) known = daemon.get();
    if (known == nullptr && wanted) {
      daemons_.push_back(std::make_unique<Daemon>(plan));
      const auto opened = daemons_.back()->open_sockets(paths_.run, network_, programs_);
      if (!opened) {
        daemons_.back()->remove_sockets(paths_.run);
        daemons_.pop_back();
        return opened.error();
      }
    } else if (known != nullptr && wanted) {
      known->want(os::now());
    } else if (known != nullptr) {
      known->unwant(os::now());
    }
  }
  return {};
}

void Supervisor::start(Daemon& daemon, Instant now) {
  const auto started = daemon.start(now);
  if (started) {
    os::log::info("started " + daemon.name(), {{os::log::Key::Pid, std::to_string(daemon.pid)}});
    return;
  }
  if (started.error().code == Errc::Unsupported && !reported_) {
    tell(kExitNoTun, started.error().text());
    return stop_all(now);
  }
  os::log::error(started.error().text());
  daemon.start_at = now + daemon.policy.on_end(now, now);
}

void Supervisor::wait(Instant now) {
  std::vector<pollfd> watched = {{signals_.raw(), POLLIN, 0}};
  for (const auto& daemon : daemons_) watched.push_back({daemon->notify.raw(), POLLIN, 0});
  const Instant deadline = next_deadline();
  int timeout = -1;
  if (deadline != kNever) {
    const auto ms = std::chrono::ceil<milliseconds>(deadline - now).count();
    timeout = ms < 0 ? 0 : ms > 60'000 ? 60'000 : static_cast<int>(ms);
  }
  ::poll(watched.data(), watched.size(), timeout);
  // What a daemon said before it ended is heard before its end.
  const Instant after = os::now();
  for (auto& daemon : daemons_) read_notifications(*daemon, after);
  read_signals(after);
}

void Supervisor::read_notifications(Daemon& daemon, Instant now) {
  for (int i = 0; i < 64; ++i) {
    auto notified = receive_notification(daemon.notify.raw());
    if (notified) {
      take(daemon, *notified, now);
    } else if (notified.error().code != Errc::BadValue) {
      return;
    }
  }
}

void Supervisor::take(Daemon& daemon, Notified& notified, Instant now) {
  if (notified.pid != daemon.pid || daemon.pid <= 0) return;  // its predecessor, or somebody else
  const Notification& what = notified.what;
  if (what.status) daemon.status = *what.status;
  if (what.watchdog) daemon.alive_at = now;
  if (what.ready && !daemon.ready) {
    daemon.ready = true;
    daemon.alive_at = now;
    os::log::info(daemon.name() + " is ready");
  }
  if (what.remove) daemon.store.remove(what.name);
  if (!what.store) return;
  for (os::Fd& fd : notified.descriptors)
    if (!daemon.store.put(what.name, std::move(fd)))
      os::log::warning(daemon.name() + " wants to store more descriptors than it may");
}

void Supervisor::read_signals(Instant now) {
  signalfd_siginfo info{};
  bool child = false;
  while (::read(signals_.raw(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    if (info.ssi_signo == SIGCHLD) {
      child = true;
    } else if (info.ssi_signo == SIGHUP) {
      os::log::notice("looking again which daemons this host has");
      if (const auto done = refresh(); !done) os::log::error(done.error().text());
    } else if (!stopping_) {
      os::log::notice("stopping", {{os::log::Key::Net, network_}});
      stop_all(now);
    }
  }
  if (child) reap(now);
}

void Supervisor::reap(Instant now) {
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;)
    for (auto& daemon : daemons_)
      if (daemon->pid == pid) on_end(*daemon, status, now);
}

void Supervisor::on_end(Daemon& daemon, int status, Instant now) {
  const Duration delay = daemon.policy.on_end(daemon.started, now);
  daemon.pid = -1;
  daemon.ready = false;
  const std::string what = daemon.name() + " " + describe_end(status);
  const bool quiet = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (stopping_ || !daemon.wanted) {
    if (!daemon.wanted) daemon.store.clear();
    os::log::write(quiet ? os::log::Level::Info : os::log::Level::Warning, what);
    return;
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == kExitConfig) {
    daemon.given_up = true;
    os::log::error(what +
                   "; it is not started again before its configuration is changed and "
                   "this instance gets SIGHUP");
    if (reported_) return;
    tell(kExitConfig, daemon.name() + " cannot start with this configuration");
    return stop_all(now);
  }
  daemon.start_at = now + delay;
  const auto ms = std::chrono::duration_cast<milliseconds>(delay).count();
  const std::string when =
      ms == 0 ? "; starting it again" : "; starting it again in " + std::to_string(ms) + " ms";
  os::log::write(quiet ? os::log::Level::Info : os::log::Level::Warning, what + when);
}

void Supervisor::check_deadlines(Instant now) {
  if (now >= kill_at_) {
    kill_at_ = kNever;
    for (auto& daemon : daemons_)
      if (daemon->pid > 0) {
        os::log::warning(daemon->name() + " did not stop in time; killing it");
        ::kill(daemon->pid, SIGKILL);
      }
  }
  for (auto& daemon : daemons_) {
    if (stopping_ || daemon->pid <= 0 || daemon->kill_sent) continue;
    if (now < daemon->limit(kReadyLimit)) continue;
    daemon->kill_sent = true;
    os::log::error(daemon->name() +
                   (!daemon->wanted ? " did not stop in time"
                    : daemon->ready ? " has not answered for 30 s"
                                    : " did not get ready") +
                   "; killing it");
    ::kill(daemon->pid, SIGKILL);
  }
  if (now >= look_at_log_) {
    look_at_log_ = now + kLogPeriod;
    trim_log(STDERR_FILENO, paths_.run + "/log.1");
  }
}

void Supervisor::check_start(Instant now) {
  if (reported_ || stopping_) return;
  std::string waiting;
  for (const auto& daemon : daemons_)
    if (daemon->wanted && !daemon->ready) waiting += (waiting.empty() ? "" : ", ") + daemon->name();
  if (waiting.empty()) return tell(0, "the network " + network_ + " is up");
  if (now >= start_limit_)
    tell(kExitTimeout, "not ready within 15 s: " + waiting +
                           "; it goes on trying, see the log, or stop it with: wattle down " +
                           network_);
}

void Supervisor::stop_all(Instant now) {
  stopping_ = true;
  kill_at_ = now + kKillAfter;
  for (auto& daemon : daemons_)
    if (daemon->pid > 0) ::kill(daemon->pid, SIGTERM);
}

Instant Supervisor::next_deadline() const {
  Instant next = std::min(kill_at_, look_at_log_);
  if (!reported_ && !stopping_) next = std::min(next, start_limit_);
  if (stopping_) return next;
  for (const auto& daemon : daemons_) {
    if (daemon->pid > 0 && !daemon->kill_sent) next = std::min(next, daemon->limit(kReadyLimit));
    if (daemon->pid <= 0 && daemon->wanted && !daemon->given_up)
      next = std::min(next, daemon->start_at);
  }
  return next;
}

bool Supervisor::any_running() const {
  for (const auto& daemon : daemons_)
    if (daemon->pid > 0) return true;
  return false;
}

void Supervisor::tell(int code, std::string sentence) {
  if (reported_) return;
  reported_ = true;
  if (code != kExitTimeout) exit_code_ = code;  // after a late start the instance goes on
  os::log::write(code == 0 ? os::log::Level::Notice : os::log::Level::Error, sentence);
  report_({code, std::move(sentence)});
}

}  // namespace wattle::ctl
