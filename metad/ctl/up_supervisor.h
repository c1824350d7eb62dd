// The supervisor of one network: starts the daemons of up_plan, keeps their sockets and stored
// descriptors, restarts what ends, stops all within two seconds. One process, one poll(2) loop; it
// reads nothing but its own signals and its daemons' notifications.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/os/fd.h"
#include "common/os/paths.h"
#include "metad/ctl/up_daemon.h"
#include "metad/ctl/up_notify.h"

namespace wattle::ctl {

// How the start ended; told once, then the supervisor goes on (unless the code is kConfig).
struct StartReport {
  int code = 0;  // exit code of `wattle up`
  std::string sentence;
};

class Supervisor {
 public:
  // `programs`: the folder of the daemons' programs. `report` is called once.
  Supervisor(std::string network, std::string programs,
             std::function<void(const StartReport&)> report);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  // Makes every socket before the first daemon starts, then runs until SIGTERM or SIGINT, or until
  // the start failed for good. Returns an exit code.
  int run();

 private:
  Result<void> prepare();
  Result<void> refresh();  // looks which daemons this host has, makes what new ones need
  void start(Daemon& daemon, Instant now);
  void read_notifications(Daemon& daemon, Instant now);
  void take(Daemon& daemon, Notified& notified, Instant now);
  void read_signals(Instant now);
  void reap(Instant now);
  void on_end(Daemon& daemon, int status, Instant now);
  void check_deadlines(Instant now);
  void check_start(Instant now);
  void stop_all(Instant now);
  void wait(Instant now);
  Instant next_deadline() const;
  bool any_running() const;
  void tell(int code, std::string sentence);

  std::string network_;
  std::string programs_;
  os::Paths paths_;
  std::function<void(const StartReport&)> report_;
  os::Fd signals_;
  std::vector<std::unique_ptr<Daemon>> daemons_;
  Instant start_limit_{};
  Instant kill_at_ = kNever;
  Instant look_at_log_{};
  bool reported_ = false;
  bool stopping_ = false;
  int exit_code_ = 0;  // of run()
};

}  // namespace wattle::ctl
