#include "common/os/service.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include "common/base/parse.h"
#include "common/os/file.h"
#include "common/os/instance.h"
#include "common/os/log.h"
#include "common/os/unix_socket.h"

namespace wattle::os {

namespace {

constexpr int kFirst = 3;  // SD_LISTEN_FDS_START
constexpr std::uint64_t kMaxPassed = 256;
constexpr int kWaitMs = 2000;
constexpr int kExitConfig = 78;

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string out = value != nullptr ? value : "";
  unsetenv(name);
  return out;
}

Result<Fd> connect_notify(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
    return Error(Errc::Config, "NOTIFY_SOCKET='" + path + "' is not a socket path");
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';  // abstract
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return system_error("cannot make the notify socket");
  if (::connect(socket.raw(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
    return system_error("cannot connect to NOTIFY_SOCKET " + path);
  return socket;
}

}  // namespace

Result<Service> Service::open(const std::string& run) {
  log::obey_signals();
  const std::string pid = take_variable("LISTEN_PID");
  const std::string count = take_variable("LISTEN_FDS");
  const std::string names = take_variable("LISTEN_FDNAMES");
  const std::string notify = take_variable("NOTIFY_SOCKET");
  const std::string watchdog = take_variable("WATCHDOG_USEC");
  const std::string watchdog_pid = take_variable("WATCHDOG_PID");
  const std::string own_pid = std::to_string(::getpid());

  Service service;
  if (!count.empty() && pid == own_pid) {
    const auto n = parse_decimal(count, kMaxPassed);
    if (!n) return Error(Errc::Config, "LISTEN_FDS='" + count + "' is not a number from 0 to 256");
    const auto parts = names.empty() ? std::vector<std::string_view>{} : split(names, ':');
    for (std::size_t i = 0; i < *n; ++i) {
      const int fd = kFirst + static_cast<int>(i);
      if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        return Error(Errc::Config, "LISTEN_FDS promises descriptor " + std::to_string(fd) +
                                       ", but it is not open");
      const int flags = fcntl(fd, F_GETFL);
      if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return system_error("cannot make descriptor " + std::to_string(fd) + " non-blocking");
      service.passed_.emplace(i < parts.size() ? std::string(parts[i]) : "unknown", Fd(fd));
    }
  }
  if (service.passed_.empty() && !run.empty()) WATTLE_TRY(refuse_second(run));
  if (!notify.empty()) service.notify_ = WATTLE_TRY(connect_notify(notify));
  if (!watchdog.empty() && (watchdog_pid.empty() || watchdog_pid == own_pid)) {
    const auto us = parse_decimal(watchdog);
    if (!us) return Error(Errc::Config, "WATCHDOG_USEC='" + watchdog + "' is not a number");
    service.watchdog_us_ = *us;
  }
  return service;
}

Result<Fd> Service::take(std::string_view name) {
  const auto it = passed_.find(name);
  if (it == passed_.end())
    return Error(Errc::NotFound,
                 "no descriptor named '" + std::string(name) +
                     "' was passed (LISTEN_FDS): start this program with `wattle up` or its "
                     "systemd unit, which make its sockets");
  Fd fd = std::move(it->second);
  passed_.erase(it);
  return fd;
}

std::vector<Fd> Service::take_all(std::string_view name) {
  std::vector<Fd> out;
  const auto [first, last] = passed_.equal_range(name);
  for (auto it = first; it != last; ++it) out.push_back(std::move(it->second));
  passed_.erase(first, last);
  return out;
}

std::vector<std::string> Service::names() const {
  std::vector<std::string> out;
  for (const auto& [name, fd] : passed_) out.push_back(name);
  return out;
}

void Service::notify(std::string_view text, int wait_ms, int fd) {
  if (!notify_.is_open()) return;
  const std::vector<int> descriptors = fd >= 0 ? std::vector<int>{fd} : std::vector<int>{};
  for (int tries = 0; tries < 2; ++tries) {
    // Best effort: a supervisor that does not listen must not hurt the daemon.
    const auto sent = send_message(notify_.raw(), as_bytes(text), descriptors);
    if (sent || sent.error().code != Errc::Again || wait_ms == 0) return;
    pollfd room{notify_.raw(), POLLOUT, 0};
    ::poll(&room, 1, wait_ms);
  }
}

void Service::ready() { notify("READY=1\n", kWaitMs); }

void Service::status(std::string_view text) {
  std::string line = "STATUS=" + std::string(text);
  for (char& c : line)
    if (c == '\n') c = ' ';
  notify(line + "\n", 0);
}

void Service::store(std::string_view name, int fd) {
  notify("FDSTORE=1\nFDPOLL=0\nFDNAME=" + std::string(name) + "\n", kWaitMs, fd);
}

void Service::watchdog() { notify("WATCHDOG=1\n", 0); }

int exit_code(const Error& error) {
  return error.code == Errc::Config ? kExitConfig : error.code == Errc::Exists ? kExitLocked : 1;
}

}  // namespace wattle::os
