// Starts one daemon: fork, own user, few capabilities, only the descriptors it shall have, exec.
#pragma once

#include <sys/types.h>
#include <string>
#include <utility>
#include <vector>

#include "common/base/result.h"
#include "metad/ctl/up_plan.h"

namespace wattle::ctl {

struct SpawnRequest {
  const DaemonPlan* plan = nullptr;
  std::string path;  // of the program
  std::string network;
  uid_t uid = 0;  // never 0
  gid_t gid = 0;
  std::string notify_path;
  std::uint64_t watchdog_us = 0;
  std::vector<std::pair<std::string, int>> descriptors;  // name, descriptor (not owned)
};

// The daemon's pid. What fails between fork and exec is said on stderr by the new process, which
// then exits with 78. SIGTERM reaches it when the supervisor dies.
Result<pid_t> spawn(const SpawnRequest& request);

}  // namespace wattle::ctl
