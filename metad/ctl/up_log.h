// The log of a detached instance: /run/wattle/NET/log, where the daemons' stderr goes; at most
// kMaxLog bytes and one former file of that size.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"
#include "common/os/fd.h"

namespace wattle::ctl {

inline constexpr std::int64_t kMaxLog = 4 * 1024 * 1024;

// Opened for appending, mode 0640, group `wattle` where there is one.
Result<os::Fd> open_log(const std::string& path);

// If `fd` is a regular file larger than kMaxLog: copies it to `former` and empties it.
void trim_log(int fd, const std::string& former);

// What was written to the file after `from`: its last lines, at most 4096 bytes.
std::string read_log_since(const std::string& path, std::int64_t from);
std::int64_t log_size(const std::string& path);

}  // namespace wattle::ctl
