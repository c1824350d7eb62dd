#include "metad/ctl/target.h"

#include <cstdio>

#include "metad/ctl/networks.h"

namespace wattle::ctl {

Outcome find_target(const std::string& asked, Target& out) {
  if (const Outcome chosen = choose_network(asked, out.network); !chosen.ok()) return chosen;
  out.paths = os::Paths(out.network);
  return read_member(out.network, out.paths, out.member);
}

void print_out(const std::string& text) {
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
}

}  // namespace wattle::ctl
