// The `wattle` program with nothing but its supervisor: `up-command up|down NET [--foreground]`. It
// lies in the folder of the fake daemons, so that it finds them beside itself.
#include <cstring>

#include "metad/ctl/up.h"

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const std::vector<std::string> args(argv + 2, argv + argc);
  return std::strcmp(argv[1], "up") == 0 ? wattle::ctl::run_up(args) : wattle::ctl::run_down(args);
}
