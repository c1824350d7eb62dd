// Where systemd runs the host, `wattle up` and `wattle down` only call systemctl.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"

namespace wattle::ctl {

bool systemd_runs();  // is /run/systemd/system there?

// Enables and starts wattle@NET.target and waits up to 15 s until every daemon is ready; says which
// one is not. An exit code. Down: disables and stops it, and waits for the end.
int systemd_up(const std::string& network);
bool systemd_is_up(const std::string& network);
int systemd_down(const std::string& network);

// Runs a program found in PATH's standard folders and waits for it: its exit code, 128 + signal, or
// an error if it cannot be started.
Result<int> run_program(const std::vector<std::string>& arguments);

}  // namespace wattle::ctl
