#include "metad/ctl/up_daemon.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "common/os/file.h"
#include "common/os/log.h"
#include "common/os/paths.h"
#include "common/os/socket_address.h"
#include "common/os/users.h"
#include "metad/ctl/conf_template.h"
#include "metad/ctl/up_notify.h"
#include "metad/ctl/up_spawn.h"

namespace wattle::ctl {
namespace {

// The group that may connect; 0 (root only, by its mode) where that group does not exist.
gid_t group_of(std::string_view caller, const std::string& network) {
  if (caller == "root") return 0;
  const std::string name =
      caller == "look" ? std::string(os::kLookGroup) : os::user_name(network, caller);
  const auto group = os::find_group(name);
  return group ? group.value() : 0;
}

Result<os::Fd> open_tun() {
  os::Fd tun(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (tun.is_open()) return tun;
  const std::string why = std::strerror(errno);
  return Error(Errc::Unsupported,
               "this host has no usable TUN device: cannot open /dev/net/tun (" + why +
                   "); load the kernel module tun, or give the container access to /dev/net/tun");
}

// Where the registry listens: `listen` in registry.conf(5). An address that this host does not have
// is passed over, so that one without IPv6 serves on IPv4; none at all is an error.
Result<std::vector<os::Fd>> listen_https(const std::string& conf) {
  const std::string text = WATTLE_TRY(os::read_text(conf));
  std::vector<std::string> wanted = values_of_conf(text, "listen");
  if (wanted.empty()) wanted = {"0.0.0.0:8443", "[::]:8443"};
  std::vector<os::Fd> out;
  for (const std::string& one : wanted) {
    const auto at = Endpoint::parse(one);
    if (!at)
      return Error(Errc::Config,
                   conf + ": listen = " + one +
                       " is not ADDRESS:PORT, like 0.0.0.0:8443 or [::]:8443; correct it");
    auto socket = os::listen_tcp(*at);
    if (socket) {
      out.push_back(std::move(socket).value());
    } else if (socket.error().code == Errc::Unsupported) {
      os::log::warning(socket.error().text(), {{os::log::Key::Ep, one}});
    } else {
      return Error(Errc::Config, socket.error().text());
    }
  }
  if (out.empty()) return Error(Errc::Config, conf + ": this host has no address of its `listen`");
  return out;
}

}  // namespace

Result<void> Daemon::open_sockets(const std::string& run, const std::string& network_name,
                                  const std::string& programs) {
  network = network_name;
  program_path = programs + "/" + name();
  notify_path = run + "/notify." + std::string(plan->part);
  const std::string user_name = os::user_name(network, plan->part);
  const auto user = os::find_user(user_name);
  if (!user)
    return Error(Errc::Config, user.error().text() + ", which " + name() +
                                   " runs as; wattle join "
                                   "and wattle-registry init make it");
  uid = user->uid;
  gid = user->gid;
  for (const SocketPlan& socket : plan->sockets) {
    const mode_t mode = socket.caller == "root" ? 0600 : 0660;
    const auto group = static_cast<int>(group_of(socket.caller, network));
    sockets.emplace_back(
        socket.name, WATTLE_TRY(os::listen_unix(run + "/" + std::string(socket.file), socket.kind,
                                                mode, 0, group)));
  }
  if (plan->https) {
    auto listeners = WATTLE_TRY(listen_https(os::Paths(network).registry_config()));
    for (os::Fd& socket : listeners) sockets.emplace_back("https", std::move(socket));
  }
  notify = WATTLE_TRY(open_notify_socket(notify_path, uid));
  return {};
}

void Daemon::remove_sockets(const std::string& run) const {
  for (const SocketPlan& socket : plan->sockets)
    ::unlink((run + "/" + std::string(socket.file)).c_str());
  ::unlink((run + "/notify." + std::string(plan->part)).c_str());
}

Result<void> Daemon::start(Instant now) {
  SpawnRequest request;
  request.plan = plan;
  request.path = program_path;
  request.network = network;
  request.uid = uid;
  request.gid = gid;
  request.notify_path = notify_path;
  request.watchdog_us = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(kWatchdog).count());
  for (const auto& [socket_name, fd] : sockets)
    request.descriptors.emplace_back(socket_name, fd.raw());
  for (const auto& [stored_name, fd] : store.held())
    request.descriptors.emplace_back(stored_name, fd.raw());
  os::Fd tun;
  if (plan->net_admin) {
    tun = WATTLE_TRY(open_tun());
    request.descriptors.emplace_back("tun", tun.raw());
  }
  pid = WATTLE_TRY(spawn(request));
  started = alive_at = now;
  ready = kill_sent = false;
  status.clear();
  return {};
}

void Daemon::want(Instant now) {
  if (!wanted || given_up) {
    policy.reset();
    start_at = now;
  }
  wanted = true;
  given_up = false;
}

void Daemon::unwant(Instant now) {
  if (!wanted) return;
  wanted = false;
  unwanted_at = now;
  if (pid > 0)
    ::kill(pid, SIGTERM);
  else
    store.clear();
}

Instant Daemon::limit(Duration ready_limit) const {
  if (!wanted) return unwanted_at + kStopLimit;
  return ready ? alive_at + kWatchdog : started + ready_limit;
}

std::string describe_end(int wait_status) {
  if (WIFEXITED(wait_status))
    return "ended with exit code " + std::to_string(WEXITSTATUS(wait_status));
  if (!WIFSIGNALED(wait_status)) return "ended";
  const int signal = WTERMSIG(wait_status);
  std::string out = "was killed by signal " + std::to_string(signal);
  if (signal == SIGSYS) return out + " (SIGSYS: it made a system call that its sandbox forbids)";
  if (const char* abbreviation = ::sigabbrev_np(signal))
    out += std::string(" (SIG") + abbreviation + ")";
  return out;
}

}  // namespace wattle::ctl
