// backup FOLDER: a copy of everything that makes a registry, taken while it runs. The database is
// copied before the journal, so that it is never ahead of it.
#include <sys/stat.h>
#include <unistd.h>
#include <cstdio>

#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/proto/genesis.h"
#include "registry/admin/backup_store.h"
#include "registry/admin/run.h"
#include "registry/admin/verbs.h"
#include "registry/io/sqlite.h"

namespace wattle::registry {
namespace {

constexpr std::size_t kMaxSmall = 256 * 1024;

// Who owns the folder that `init` made for a daemon.
Result<os::User> owner_of(const std::string& folder) {
  struct stat info {};
  if (stat(folder.c_str(), &info) != 0) return os::system_error("cannot look at " + folder);
  return os::User{info.st_uid, info.st_gid};
}

// As its owner, so that no bytes of the daemon's are taken apart with root's rights.
Bytes copy_view(const std::string& path, const os::User& owner) {
  auto copy = do_as(
      owner, [&path] { return copy_database(path); }, kMaxBackupDatabase);
  if (copy) return *std::move(copy);
  std::fprintf(stderr,
               "wattle-registry: the database is left out of the backup; it is only a view of the "
               "journal and is made anew after a restore\n");
  return {};
}

// The whole entries that are there now; the signer may be appending another.
Result<Bytes> copy_journal(const std::string& path, const os::User& owner, JournalChain& chain) {
  Bytes bytes;
  for (int i = 0; i < 3; ++i) {
    bytes = WATTLE_TRY(read_own(path, owner.uid, kMaxJournal));
    chain = walk_journal(bytes);
    if (chain.tail == Tail::Damaged) continue;  // a write that failed and was cut off meanwhile
    bytes.resize(chain.end);
    return bytes;
  }
  return Error(Errc::BadValue, path + " is damaged after entry " + std::to_string(chain.entries) +
                                   ": no backup was made; restore an older one with "
                                   "wattle-registry restore FOLDER --journal-lost");
}

Result<Backup> collect(const std::string& network, const os::Paths& paths, JournalChain& chain) {
  Backup out;
  for (const BackupFile& file : kBackupFiles) {
    const std::string folder = file.place == Place::Etc        ? paths.etc
                               : file.place == Place::Registry ? paths.state + "/registry"
                                                               : paths.state + "/signer";
    const std::string path = folder + "/" + file.name;
    const os::User owner = WATTLE_TRY(owner_of(folder));
    Bytes bytes;
    if (std::string_view(file.name) == "registry.db")
      bytes = copy_view(path, owner);
    else if (std::string_view(file.name) == "journal")
      bytes = WATTLE_TRY(copy_journal(path, owner, chain));
    else
      bytes = WATTLE_TRY(read_own(path, owner.uid, kMaxSmall));
    if (bytes.empty() && !file.needed) continue;
    out.manifest.files[file.name] = crypto::sha256(bytes);
    out.files[file.name] = std::move(bytes);
  }
  out.manifest.network = network;
  out.manifest.id = network_id(genesis_hash(as_text(out.files.at("genesis"))));
  out.manifest.time = os::unix_now();
  out.manifest.entries = chain.entries;
  out.manifest.head = chain.last;
  return out;
}

}  // namespace

int run_backup(const Settings& settings) {
  if (settings.object.empty() || !settings.detail.empty())
    return fail(Exit::Usage, "say into which new folder: wattle-registry backup FOLDER");
  if (geteuid() != 0) return fail(Exit::NotRoot, "only root may back up: run it with sudo");
  if (os::exists(settings.object))
    return fail(Exit::General, settings.object + " exists already: name a new folder");
  const auto network = choose_network(settings);
  if (!network) return fail(network.error());
  JournalChain chain;
  const auto backup = collect(*network, os::Paths(*network, settings.root), chain);
  if (!backup) return fail(backup.error());
  std::string folder = settings.object;
  while (folder.size() > 1 && folder.ends_with("/")) folder.pop_back();
  if (const auto saved = save_backup(folder, *backup); !saved) return fail(saved.error());
  std::printf(
      "Backed up the registry of network %s: a journal of %llu entries%s.\n"
      "  %s holds the keys of the network: whoever has it has the network.\n",
      network->c_str(), static_cast<unsigned long long>(chain.entries),
      backup->files.contains("registry.db") ? " and its database" : "", folder.c_str());
  return 0;
}

}  // namespace wattle::registry
