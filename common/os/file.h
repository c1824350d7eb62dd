// Files written whole or not at all.
#pragma once

#include <sys/types.h>
#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/os/fd.h"

namespace wattle::os {

// Whole regular file; Full if it is larger than max_bytes; NotFound, else System with a sentence.
Result<Bytes> read_file(const std::string& path, std::size_t max_bytes);
Result<std::string> read_text(const std::string& path, std::size_t max_bytes = 256 * 1024);

// Writes path.new (owner if uid >= 0 or gid >= 0, then mode), fsyncs, renames, fsyncs the folder: a
// reader sees the old file or the new one. A left-over path.new is removed first; on failure none
// stays.
Result<void> write_file(const std::string& path, ByteView bytes, mode_t mode, int uid = -1,
                        int gid = -1);

// mkdir, owner, mode; a folder that is there gets owner and mode, too. Missing parents are made
// with mode 0755.
Result<void> make_folder(const std::string& path, mode_t mode, int uid = -1, int gid = -1);
bool exists(const std::string& path);
Error system_error(const std::string& what);  // Errc::System: "what: strerror(errno)"

}  // namespace wattle::os
