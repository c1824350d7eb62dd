// A backup's folder: the files of kBackupFiles and `manifest`, all of root only. It holds the keys
// of the network.
#pragma once

#include <map>
#include <string>

#include "common/os/users.h"
#include "registry/core/backup_manifest.h"
#include "registry/core/journal_chain.h"

namespace wattle::registry {

inline constexpr std::size_t kMaxJournal = std::size_t{4} * 1024 * 1024 * 1024;
inline constexpr std::size_t kMaxBackupDatabase = std::size_t{1024} * 1024 * 1024;

struct Backup {
  BackupManifest manifest;
  std::map<std::string, Bytes> files;  // by name; each fits its hash in the manifest
  Backup() = default;
  Backup(Backup&&) = default;
  Backup& operator=(Backup&&) = default;
  ~Backup();  // wipes the keys
};

// Reads and checks all of it. Errors are one sentence that names the file.
Result<Backup> load_backup(const std::string& folder);
// Makes the folder, whole or not at all (FOLDER.new until then); Exists if it is there.
Result<void> save_backup(const std::string& folder, const Backup& backup);

// A file that must be this user's own: neither a link nor anybody else's is read, so that a broken
// daemon cannot have root copy foreign files for it.
Result<Bytes> read_own(const std::string& path, uid_t owner, std::size_t max_bytes);

}  // namespace wattle::registry
