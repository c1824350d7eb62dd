// Files written whole or not at all.
#pragma once

#include <string>
#include <sys/types.h>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/os/fd.h"

namespace wattle::os {

// Whole file; Full if it is larger than max_bytes; NotFound, else System with a sentence.
Result<Bytes> read_file(const std::string& path, std::size_t max_bytes);
Result<std::string> read_text(const std::string& path, std::size_t max_bytes = 256 * 1024);

// Writes path.new (mode, then owner if uid >= 0), fsyncs, renames, fsyncs the folder.
Result<void> write_file(const std::string& path, ByteView bytes, mode_t mode, int uid = -1,
                        int gid = -1);

Result<void> make_folder(const std::string& path, mode_t mode, int uid = -1, int gid = -1);
bool exists(const std::string& path);
Error system_error(const std::string& what);  // Errc::System: "what: strerror(errno)"

}  // namespace wattle::os
