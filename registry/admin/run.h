// Other programs, run and waited for.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/os/users.h"

namespace wattle::registry {

// Runs argv[0] (a path) with our standard streams: its exit code, or System if it cannot be run or
// was killed.
Result<int> run(const std::vector<std::string>& argv);

// The same as another user, with no other group and no environment; what it printed. System if it
// fails (its own sentence went to stderr). `input` comes on its standard input.
Result<std::string> run_as(const os::User& user, const std::vector<std::string>& argv,
                           std::string_view input = {});

// What `work` gives, done in a process of its own as another user, who owns what it works on.
// System if it fails there (the sentence went to stderr) or gives more than max_bytes.
Result<Bytes> do_as(const os::User& user, const std::function<Result<Bytes>()>& work,
                    std::size_t max_bytes);

}  // namespace wattle::registry
