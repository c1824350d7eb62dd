// Other programs, run and waited for.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/os/users.h"

namespace wattle::registry {

// The folder this program was started from, where its companions are, too.
std::string program_folder();

// Runs argv[0] (a path) with our standard streams: its exit code, or System if it cannot be run or
// was killed.
Result<int> run(const std::vector<std::string>& argv);

// The same as another user, with no other group and no environment; what it printed. System if it
// fails (its own sentence went to stderr).
Result<std::string> run_as(const os::User& user, const std::vector<std::string>& argv);

}  // namespace wattle::registry
