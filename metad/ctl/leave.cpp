#include <dirent.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <set>

#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/os/users.h"
#include "metad/ctl/join.h"
#include "metad/ctl/join_install.h"
#include "metad/ctl/networks.h"
#include "metad/ctl/up.h"
#include "metad/ctl/up_lock.h"

namespace wattle::ctl {

namespace {

constexpr Duration kStopLimit = std::chrono::seconds(5);

void remove_tree(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

std::set<uid_t> member_uids(const std::string& network) {
  std::set<uid_t> out;
  for (const char* part : kMemberParts)
    if (const auto user = os::find_user(os::user_name(network, part))) out.insert(user->uid);
  return out;
}

// Processes that still run as one of these users.
bool any_process_of(const std::set<uid_t>& uids) {
  std::error_code error;
  std::filesystem::directory_iterator at("/proc", error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    struct stat info {};
    if (stat(at->path().c_str(), &info) == 0 && uids.contains(info.st_uid)) return true;
  }
  return false;
}

bool wait_for_end(const std::set<uid_t>& uids) {
  const Instant begin = os::now();
  while (any_process_of(uids)) {
    if (os::now() - begin > kStopLimit) return false;
    usleep(50000);
  }
  return true;
}

// On the registry's host: the registry goes on, only the member's daemons end.
Outcome stop_member_only(const std::string& network, const os::Paths& paths) {
  ::unlink(paths.member().c_str());
  if (!os::exists("/run/systemd/system")) {
    const auto holder = os::find_holder(paths.run + "/lock");
    if (!holder) return {};
    if (syscall(SYS_pidfd_send_signal, holder->process.raw(), SIGHUP, nullptr, 0) == 0) return {};
  }
  static_cast<void>(run_down({network}));
  const int up = run_up_afresh(network);
  return up == 0 ? Outcome() : Outcome(Failure{static_cast<Exit>(up), {}});
}

Outcome stop_all(const std::string& network) {
  const int down = run_down({network});
  const bool stopped = down == 0 || down == code(Exit::NotRunning);
  return stopped ? Outcome() : Outcome(Failure{static_cast<Exit>(down), {}});
}

}  // namespace

Outcome run_leave(const Arguments& arguments) {
  if (geteuid() != 0)
    return Failure{Exit::NotRoot, "leaving removes users and settings of this host: use sudo"};
  std::string network;
  if (const Outcome chosen = choose_network(arguments.first, network); !chosen.ok()) return chosen;
  const os::Paths paths(network);
  const bool member = os::exists(paths.member());
  const bool begun = os::exists(paths.state + "/pending") || os::exists(paths.state + "/key");
  const bool registry = os::exists(paths.registry_config());
  if (!member && !begun) return Failure{Exit::NotJoined, "this host is not in network " + network};

  const std::set<uid_t> uids = member_uids(network);
  if (member || !registry) {
    const Outcome stopped = registry ? stop_member_only(network, paths) : stop_all(network);
    if (!stopped.ok()) return stopped;
  }
  if (!wait_for_end(uids))
    return Failure{Exit::General, "the daemons of " + network +
                                      " do not end: stop them, then run wattle leave again"};

  for (const char* folder : {"/key", "/meta", "/pending"}) remove_tree(paths.state + folder);
  ::unlink(paths.member().c_str());
  ::unlink(paths.config().c_str());
  if (!registry) {
    ::unlink(paths.genesis().c_str());
    remove_tree(paths.run);
  }
  for (const std::string& folder : {paths.etc, paths.state, paths.run}) {
    ::rmdir(folder.c_str());
    ::rmdir(std::filesystem::path(folder).parent_path().c_str());
  }
  for (const char* part : kMemberParts)
    if (const auto removed = os::remove_user(os::user_name(network, part)); !removed)
      return general(removed.error());
  if (configured_networks().empty())
    if (const auto removed = os::remove_group(os::kLookGroup); !removed)
      return general(removed.error());
  std::printf(
      "Left %s: its daemons are stopped; keys, settings and users of this member are gone.\n",
      network.c_str());
  if (registry) std::printf("The registry of %s on this host goes on.\n", network.c_str());
  return {};
}

}  // namespace wattle::ctl
