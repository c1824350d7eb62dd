// The network that a verb is about, and this host's membership in it.
#pragma once

#include <string>

#include "common/os/paths.h"
#include "metad/ctl/failure.h"
#include "metad/ctl/member_conf.h"

namespace wattle::ctl {

struct Target {
  std::string network;
  os::Paths paths{""};
  MemberConf member;
};

// `asked`: the network's name, or empty if there is only one.
Outcome find_target(const std::string& asked, Target& out);

// What went out at once: stdout, not buffered any longer.
void print_out(const std::string& text);

}  // namespace wattle::ctl
