#include "metad/ctl/check_verb.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>

#include "common/os/file.h"
#include "common/os/paths.h"
#include "metad/ctl/networks.h"
#include "metad/ctl/up_plan.h"

namespace wattle::ctl {
namespace {

// Its words go to our own output. An error where it could not be asked.
Result<bool> finds_no_fault(const DaemonPlan& daemon, const std::string& network) {
  const std::string path = os::program_folder() + "/" + std::string(daemon.program);
  std::vector<std::string> words{path};
  if (!daemon.verb.empty()) words.emplace_back(daemon.verb);
  words.insert(words.end(), {"--net=" + network, "--check"});
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  errno = ::posix_spawn(&child, path.c_str(), nullptr, nullptr, argv.data(), environ);
  if (errno != 0) return os::system_error("cannot start " + path);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return os::system_error("cannot wait for " + path);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

Outcome run_check(const Arguments& arguments) {
  std::string network;
  if (const Outcome chosen = choose_network(arguments.first, network); !chosen.ok()) return chosen;
  const os::Paths paths(network);
  const bool is_member = os::exists(paths.member());
  const bool has_registry = os::exists(paths.registry_config());
  bool right = true;
  for (const DaemonPlan& daemon : all_daemons()) {
    if (!(daemon.of_member ? is_member : has_registry)) continue;
    const auto answer = finds_no_fault(daemon, network);
    if (!answer) return general(answer.error());
    right = right && *answer;
  }
  if (right) return {};
  return Failure{Exit::Config, "the settings of " + network + " are to be corrected as said above"};
}

}  // namespace wattle::ctl
