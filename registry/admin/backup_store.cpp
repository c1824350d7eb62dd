#include "registry/admin/backup_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

#include "common/base/mutant.h"
#include "common/base/secret.h"
#include "common/os/fd.h"
#include "common/os/file.h"
#include "common/proto/genesis.h"

namespace wattle::registry {
namespace {

constexpr const char* kManifest = "/manifest";

Result<void> check_journal(const Backup& backup, const std::string& folder) {
  const Bytes& journal = backup.files.at("journal");
  const JournalChain chain = walk_journal(journal);
  const BackupManifest& m = backup.manifest;
  if (chain.end != journal.size() || chain.entries != m.entries || chain.last != m.head)
    return Error(Errc::BadValue, folder + "/journal does not hang together after entry " +
                                     std::to_string(chain.entries) + ": take another backup");
  return {};
}

void remove_partial(const std::string& folder) {
  for (const BackupFile& file : kBackupFiles) unlink((folder + "/" + file.name).c_str());
  unlink((folder + kManifest).c_str());
  rmdir(folder.c_str());
}

Result<void> fill(const std::string& folder, const Backup& backup) {
  for (const auto& [name, bytes] : backup.files)
    WATTLE_TRY(os::write_file(folder + "/" + name, bytes, 0600));
  const std::string manifest = build_backup_manifest(backup.manifest);
  return os::write_file(folder + kManifest, as_bytes(manifest), 0600);
}

}  // namespace

Backup::~Backup() {
  for (auto& [name, bytes] : files) wipe(bytes);
}

Result<Backup> load_backup(const std::string& folder) {
  const auto text = os::read_text(folder + kManifest, 64 * 1024);
  if (!text)
    return Error(text.error().code == Errc::NotFound ? Errc::NotFound : Errc::System,
                 folder + " is no backup of a registry: " + text.error().text());
  auto manifest = parse_backup_manifest(*text);
  if (!manifest) return Error(Errc::BadValue, folder + kManifest + ": " + manifest.error().text());
  Backup out;
  out.manifest = *std::move(manifest);
  for (const auto& [name, hash] : out.manifest.files) {
    const std::string path = folder + "/" + name;
    Bytes bytes = WATTLE_TRY(os::read_file(path, kMaxJournal));
    if (!WATTLE_CHECKED(backup_hash, crypto::sha256(bytes) == hash)) {
      wipe(bytes);
      return Error(Errc::BadValue, path +
                                       " is not as the backup's manifest has it: it is damaged or "
                                       "was changed; take another backup");
    }
    out.files.emplace(name, std::move(bytes));
  }
  const auto genesis = parse_genesis(as_text(out.files.at("genesis")));
  if (!genesis || genesis->network != out.manifest.network ||
      network_id(genesis_hash(as_text(out.files.at("genesis")))) != out.manifest.id)
    return Error(Errc::BadValue, folder + "/genesis is not of network " + out.manifest.network);
  WATTLE_TRY(check_journal(out, folder));
  return out;
}

Result<void> save_backup(const std::string& folder, const Backup& backup) {
  const std::string fresh = folder + ".new";
  if (os::exists(folder)) return Error(Errc::Exists, folder + " exists already: name a new folder");
  if (mkdir(fresh.c_str(), 0700) != 0)
    return errno == EEXIST
               ? Error(Errc::Exists, fresh +
                                         " exists already, of a backup that was cut short: "
                                         "remove it")
               : os::system_error("cannot make the folder " + fresh);
  auto done = fill(fresh, backup);
  if (done && rename(fresh.c_str(), folder.c_str()) != 0)
    done = os::system_error("cannot rename " + fresh + " to " + folder);
  if (!done) {
    remove_partial(fresh);
    return done;
  }
  const os::Fd made(::open((folder + "/..").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!made.is_open() || fsync(made.raw()) != 0)
    return os::system_error("cannot write the folder of " + folder + " to the disk");
  return {};
}

Result<Bytes> read_own(const std::string& path, uid_t owner, std::size_t max_bytes) {
  const os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file.is_open() && errno == ENOENT) return Error(Errc::NotFound, "there is no file " + path);
  if (!file.is_open()) return os::system_error("cannot open " + path);
  struct stat info {};
  if (fstat(file.raw(), &info) != 0) return os::system_error("cannot look at " + path);
  const bool own = S_ISREG(info.st_mode) && info.st_uid == owner && info.st_nlink == 1;
  if (!WATTLE_CHECKED(backup_own_file, own))
    return Error(Errc::Denied,
                 path + " is not a plain file of user " + std::to_string(owner) + ": not copied");
  return os::read_file("/proc/self/fd/" + std::to_string(file.raw()), max_bytes);
}

}  // namespace wattle::registry
