// Starts one daemon of a network as its user, with its sockets, as `wattle up` does, but with far
// more rights than it shall have: what it has after it said READY=1 is what its own seal left.
#pragma once

#include <sys/types.h>
#include <map>
#include <string>
#include <vector>

#include "common/os/fd.h"
#include "metad/ctl/up_plan.h"

namespace wattle::sealcheck {

class Launcher {
 public:
  static constexpr const char* kWithRing = "cryptod-uring";
  // Makes every socket of the network's run folder. Exits with a sentence if something is missing.
  Launcher(std::string network, std::string programs);
  ~Launcher();

  // Names of the daemons that this host has a configuration for, in a fixed order: "tapd" ...
  // The last is cryptod with io = uring, where io_uring is not forbidden.
  std::vector<std::string> names() const;
  // The pid, after READY=1; -1 with a sentence in error() if it ended before (its exit code in
  // last_exit()) or took too long. A daemon that runs already is ended first.
  pid_t start(const std::string& name);
  void stop(const std::string& name);
  const std::string& error() const { return error_; }
  int last_exit() const { return last_exit_; }
  uid_t uid_of(const std::string& name) const;

 private:
  const ctl::DaemonPlan& plan_of(const std::string& name) const;
  [[noreturn]] void become(const ctl::DaemonPlan& plan, bool with_ring);

  std::string network_, programs_, run_, error_;
  int last_exit_ = -1;
  std::map<std::string, os::Fd> sockets_;  // by name of file
  std::vector<os::Fd> https_;              // the registry's listeners
  std::map<std::string, os::Fd> notify_;   // by part
  std::map<std::string, pid_t> running_;
};

}  // namespace wattle::sealcheck
