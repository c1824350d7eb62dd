// One daemon of the supervisor: its sockets, its stored descriptors, its process and what it said
// of itself.
#pragma once

#include <sys/types.h>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"
#include "common/os/fd.h"
#include "metad/ctl/up_plan.h"
#include "metad/ctl/up_restart.h"
#include "metad/ctl/up_store.h"

namespace wattle::ctl {

struct Daemon {
  explicit Daemon(const DaemonPlan& daemon_plan) : plan(&daemon_plan) {}

  static constexpr Duration kWatchdog = std::chrono::seconds(30);
  static constexpr Duration kStopLimit = std::chrono::milliseconds(1500);

  std::string name() const { return std::string(plan->program); }

  // Finds its user and makes its sockets and its notify socket. Config if the user is missing.
  Result<void> open_sockets(const std::string& run, const std::string& network_name,
                            const std::string& programs);
  void remove_sockets(const std::string& run) const;

  // Starts its process. Unsupported if it needs a TUN device and this host has none.
  Result<void> start(Instant now);
  bool wants_start(Instant now) const { return wanted && !given_up && pid <= 0 && now >= start_at; }

  void want(Instant now);  // start again, also if it was given up
  void unwant(Instant now);

  // When its patience ends: READY in `ready_limit`, then a WATCHDOG every 30 s; after unwant() its
  // end.
  Instant limit(Duration ready_limit) const;

  const DaemonPlan* plan;
  std::string network, program_path, notify_path;
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<std::pair<std::string, os::Fd>> sockets;  // by LISTEN_FDNAMES
  os::Fd notify;
  DescriptorStore store;
  RestartPolicy policy;

  bool wanted = true;
  bool given_up = false;  // ended with a configuration error
  bool ready = false;
  bool kill_sent = false;
  pid_t pid = -1;
  Instant started{}, start_at{}, alive_at{}, unwanted_at{};
  std::string status;
};

// "ended with exit code 1", "was killed by signal 31 (SIGSYS: ...)".
std::string describe_end(int wait_status);

}  // namespace wattle::ctl
