// What systemd and `wattle up` give a daemon: listening and stored descriptors (LISTEN_FDS with
// names) and the notify socket. Opened before the sandbox closes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/os/fd.h"

namespace wattle::os {

class Service {
 public:
  // Reads LISTEN_PID/LISTEN_FDS/LISTEN_FDNAMES, NOTIFY_SOCKET, WATCHDOG_USEC and clears them from
  // the environment. All descriptors get CLOEXEC and O_NONBLOCK. From here on SIGUSR1 and SIGUSR2
  // set the log's level (log.h).
  // Exists if nothing was passed, `run` is a network's run folder, and an instance of that network
  // is up that did not start this process (instance.h).
  static Result<Service> open(const std::string& run = {});

  // The first (or every) passed descriptor of that name; NotFound with a sentence that says who
  // should have made it.
  Result<Fd> take(std::string_view name);
  std::vector<Fd> take_all(std::string_view name);
  // Names still held (to close or complain about).
  std::vector<std::string> names() const;

  // What follows does nothing without a notify socket and never fails a daemon.
  void ready();                                               // READY=1; waits up to 2 s for room
  void status(std::string_view text);                         // STATUS=...
  void store(std::string_view name, int fd);                  // FDSTORE=1 FDNAME=name FDPOLL=0
  void watchdog();                                            // WATCHDOG=1
  std::uint64_t watchdog_us() const { return watchdog_us_; }  // 0: none

 private:
  void notify(std::string_view text, int wait_ms, int fd = -1);
  std::multimap<std::string, Fd, std::less<>> passed_;
  Fd notify_;
  std::uint64_t watchdog_us_ = 0;
};

// Of a daemon that could not start or go on: 78 for a bad configuration, 75 for a second start,
// else 1.
int exit_code(const Error& error);

}  // namespace wattle::os
