// restore FOLDER: puts a backup in place while the network is down here. The journal is the truth:
// one that is here and newer than the backup's is kept, and one that has entries which this host
// may have lost is taken only with --journal-lost, after which the signer hands out nothing that
// the lost entries may have handed out. All is made ready in a folder of its own, judged by
// wattle-signer, and only then put in place, file by file: done again after a crash, it ends well.
#include <fcntl.h>
#include <ftw.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "common/base/mutant.h"
#include "common/base/secret.h"
#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/proto/genesis.h"
#include "registry/admin/backup_store.h"
#include "registry/admin/run.h"
#include "registry/admin/verbs.h"

namespace wattle::registry {
namespace {

std::string number(std::uint64_t value) { return std::to_string(value); }

// Held until the end: no daemon of the registry runs, nor starts meanwhile.
class Quiet {
 public:
  static Result<Quiet> make(const os::Paths& paths, const std::string& network) {
    Quiet out;
    WATTLE_TRY(out.take(paths.run + "/lock", network));
    WATTLE_TRY(out.take(paths.state + "/signer/journal", network));
    WATTLE_TRY(out.take(paths.state + "/registry", network));
    return out;
  }

 private:
  Result<void> take(const std::string& path, const std::string& network) {
    os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!fd.is_open()) {
      if (errno == ENOENT) return {};
      return os::system_error("cannot open " + path);
    }
    const bool taken = flock(fd.raw(), LOCK_EX | LOCK_NB) == 0;
    if (!WATTLE_CHECKED(restore_running, taken))
      return Error(Errc::Denied, "network " + network +
                                     " runs on this host: stop it with wattle down " + network +
                                     ", then restore");
    held_.push_back(std::move(fd));
    return {};
  }
  std::vector<os::Fd> held_;
};

Result<void> check_network(const Backup& backup, const os::Paths& paths) {
  if (!os::exists(paths.genesis())) return {};
  const std::string here = WATTLE_TRY(os::read_text(paths.genesis()));
  if (!WATTLE_CHECKED(restore_network, network_id(genesis_hash(here)) == backup.manifest.id))
    return Error(Errc::Denied, "the backup is of another network that is called " +
                                   backup.manifest.network + ", too (its genesis differs from " +
                                   paths.genesis() + "): nothing was changed");
  return {};
}

// ---- which journal ------------------------------------------------------------------------------

struct Choice {
  Bytes journal;
  std::vector<Bytes> more;  // entries behind damage: not of the chain any more, but they were
  bool lost = false;        // what followed it is lost
  bool keep_aside = false;  // the one that is here is another and is kept under another name
  std::string sentence;
};

constexpr const char* kLostHow =
    "if what is missing cannot be found, say --journal-lost (see wattle-registry(8))";

Result<Choice> choose_absent(const Backup& backup, const std::string& path, bool lost) {
  if (!WATTLE_CHECKED(restore_absent, lost))
    return Error(Errc::NotFound, "there is no journal " + path +
                                     ", and what was written since the backup would be handed out "
                                     "a second time: put the newest one there; " +
                                     kLostHow);
  Choice out;
  out.journal = backup.files.at("journal");
  out.lost = true;
  out.sentence = "the journal here is lost: taken from the backup, of " +
                 number(backup.manifest.entries) + " entries";
  return out;
}

// Of two journals without damage, or their good beginnings.
Result<Choice> choose_between(const Backup& backup, Bytes here, const JournalChain& chain,
                              const std::string& path, bool lost) {
  const Bytes& saved = backup.files.at("journal");
  const bool damaged = chain.tail == Tail::Damaged;
  here.resize(chain.end);
  Choice out;
  const Lineage lineage = compare_journals(here, saved);
  if (lineage == Lineage::Parted)
    return Error(Errc::Denied,
                 path +
                     " and the backup's journal have both gone on after a common beginning: "
                     "they cannot be joined; move one away, and say --journal-lost");
  const bool shorter = lineage == Lineage::SecondLonger;
  if (!WATTLE_CHECKED(restore_older, lost || (!damaged && !shorter)))
    return Error(Errc::Denied,
                 damaged
                     ? path + " is damaged after entry " + number(chain.entries) + ": " + kLostHow
                     : path + " is older than the backup's: " + number(chain.entries) +
                           " entries against " + number(backup.manifest.entries) +
                           ", so that some may be lost; " + kLostHow);
  out.lost = lost;
  out.keep_aside = damaged || shorter;
  out.sentence = shorter ? "the journal is the backup's, of " + number(backup.manifest.entries) +
                               " entries (here were " + number(chain.entries) + ")"
                 : lineage == Lineage::FirstLonger
                     ? "the journal here is newer and is kept: " + number(chain.entries) +
                           " entries against " + number(backup.manifest.entries)
                     : "the journal here is the backup's, of " + number(chain.entries) + " entries";
  out.journal = shorter ? saved : std::move(here);
  return out;
}

// Whole entries behind damage: who was made and who was thrown out can still be told from them.
std::vector<Bytes> entries_behind(ByteView journal, std::size_t from) {
  std::vector<Bytes> out;
  const ByteView magic = as_bytes(kEntryMagic);
  for (auto at = journal.begin() + static_cast<std::ptrdiff_t>(from);;) {
    at = std::search(at, journal.end(), magic.begin(), magic.end());
    if (at == journal.end()) return out;
    const ByteView rest = journal.subspan(static_cast<std::size_t>(at - journal.begin()));
    const auto entry = decode_entry(rest, Secrets::Expected);
    if (entry) out.push_back(without_secret(rest.first(entry->size)));
    at += static_cast<std::ptrdiff_t>(entry ? entry->size : 1);
  }
}

Result<Choice> choose_journal(const Backup& backup, const std::string& path, bool lost) {
  auto here = os::read_file(path, kMaxJournal);
  if (!here && here.error().code == Errc::NotFound) return choose_absent(backup, path, lost);
  if (!here) return here.error();
  const JournalChain chain = walk_journal(*here);
  std::vector<Bytes> more;
  if (chain.tail == Tail::Damaged) more = entries_behind(*here, chain.end);
  auto choice = choose_between(backup, *std::move(here), chain, path, lost);
  if (choice) choice->more = std::move(more);
  return choice;
}

// ---- putting it in place ------------------------------------------------------------------------

struct Owners {
  os::User registry, signer;
};

// Of the folder where there is one (a test's), else made as `init` makes them.
Result<os::User> owner_of(const std::string& folder, const std::string& user) {
  struct stat info {};
  if (stat(folder.c_str(), &info) == 0) return os::User{info.st_uid, info.st_gid};
  const os::User owner = WATTLE_TRY(os::ensure_user(user));
  WATTLE_TRY(
      os::make_folder(folder, 0700, static_cast<int>(owner.uid), static_cast<int>(owner.gid)));
  return owner;
}

Result<Owners> make_folders(const os::Paths& paths, const std::string& network) {
  WATTLE_TRY(os::make_folder(paths.etc, 0755));
  WATTLE_TRY(os::make_folder(paths.state, 0755));
  Owners out;
  out.registry =
      WATTLE_TRY(owner_of(paths.state + "/registry", os::user_name(network, "registry")));
  out.signer = WATTLE_TRY(owner_of(paths.state + "/signer", os::user_name(network, "signer")));
  return out;
}

int remove_one(const char* path, const struct stat*, int, struct FTW*) { return ::remove(path); }

// A root of its own below the state folder; removed at the end.
class Stage {
 public:
  explicit Stage(const os::Paths& real, const std::string& network)
      : root_(real.state + "/restore"), paths(network, root_) {
    clear();
  }
  ~Stage() { clear(); }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  const std::string& root() const { return root_; }

 private:
  void clear() const { nftw(root_.c_str(), remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT); }
  std::string root_;

 public:
  os::Paths paths;
};

std::string folder_of(const os::Paths& paths, Place place) {
  return place == Place::Etc        ? paths.etc
         : place == Place::Registry ? paths.state + "/registry"
                                    : paths.state + "/signer";
}

const os::User& owner_of(const Owners& owners, Place place) {
  static const os::User root{};
  return place == Place::Etc ? root : place == Place::Registry ? owners.registry : owners.signer;
}

Result<void> fill(const Stage& stage, const Backup& backup, const Owners& owners,
                  const Bytes& journal) {
  for (const Place place : {Place::Etc, Place::Registry, Place::Signer}) {
    const os::User& owner = owner_of(owners, place);
    WATTLE_TRY(os::make_folder(folder_of(stage.paths, place), place == Place::Etc ? 0755 : 0700,
                               static_cast<int>(owner.uid), static_cast<int>(owner.gid)));
  }
  for (const BackupFile& file : kBackupFiles) {
    const auto found = backup.files.find(file.name);
    if (found == backup.files.end()) continue;
    const os::User& owner = owner_of(owners, file.place);
    const bool is_journal = std::string_view(file.name) == "journal";
    WATTLE_TRY(os::write_file(folder_of(stage.paths, file.place) + "/" + file.name,
                              is_journal ? journal : found->second, file.mode,
                              static_cast<int>(owner.uid), static_cast<int>(owner.gid)));
  }
  return {};
}

// The signer's word on it: keys, journal and what follows from a loss. Its sentences.
Result<std::string> ask_signer(const Stage& stage, const std::string& network, const os::User& user,
                               const Choice& choice, const std::string& document) {
  std::vector<std::string> argv{os::program_folder() + "/wattle-signer",
                                choice.lost ? "lost" : "check",
                                "--net",
                                network,
                                "--root",
                                stage.root(),
                                "--log-level",
                                "warning"};
  std::string input;
  if (choice.lost) {
    input = number(document.size()) + "\n" + document;
    for (const Bytes& entry : choice.more) input += as_text(entry);
  }
  return run_as(user, argv, input);
}

Result<void> move_file(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0)
    return os::system_error("cannot rename " + from + " to " + to);
  return {};
}

Result<void> install(const Stage& stage, const os::Paths& paths, bool keep_aside) {
  const std::string journal = paths.state + "/signer/journal";
  if (keep_aside && os::exists(journal))
    WATTLE_TRY(move_file(journal, journal + ".before-" + number(os::unix_now().seconds)));
  for (const BackupFile& file : kBackupFiles) {
    const std::string from = folder_of(stage.paths, file.place) + "/" + file.name;
    const std::string to = folder_of(paths, file.place) + "/" + file.name;
    if (std::string_view(file.name) == "registry.db")  // with another one's log it would be garbage
      for (const char* more : {"", "-wal", "-shm"}) unlink((to + more).c_str());
    if (!os::exists(from)) continue;
    if (file.place != Place::Etc) {
      WATTLE_TRY(move_file(from, to));
    } else if (!os::exists(to)) {  // perhaps on another file system
      const Bytes bytes = WATTLE_TRY(os::read_file(from, kMaxJournal));
      WATTLE_TRY(os::write_file(to, bytes, file.mode));
    }
  }
  for (const Place place : {Place::Etc, Place::Registry, Place::Signer}) {
    const os::Fd folder(
        ::open(folder_of(paths, place).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open() || fsync(folder.raw()) != 0)
      return os::system_error("cannot write " + folder_of(paths, place) + " to the disk");
  }
  return {};
}

// The newest network document that can be had: it has the revocations that the journal lost.
Result<std::string> held_document(const Settings& settings, const os::Paths& paths) {
  if (!settings.document.empty()) return os::read_text(settings.document, kMaxDocument);
  const auto own = os::read_text(paths.state + "/meta/document", kMaxDocument);
  return own ? *own : std::string();
}

Result<std::string> restore(const Settings& settings, const Backup& backup) {
  const std::string& network = backup.manifest.network;
  const os::Paths paths(network, settings.root);
  WATTLE_TRY(check_network(backup, paths));
  const Quiet quiet = WATTLE_TRY(Quiet::make(paths, network));
  const Choice choice =
      WATTLE_TRY(choose_journal(backup, paths.state + "/signer/journal", settings.journal_lost));
  std::string document;
  if (choice.lost) document = WATTLE_TRY(held_document(settings, paths));
  const Owners owners = WATTLE_TRY(make_folders(paths, network));
  const Stage stage(paths, network);
  WATTLE_TRY(fill(stage, backup, owners, choice.journal));
  const std::string words = WATTLE_TRY(ask_signer(stage, network, owners.signer, choice, document));
  const bool own_config = os::exists(paths.registry_config());
  WATTLE_TRY(install(stage, paths, choice.keep_aside));
  std::string out =
      "Restored the registry of network " + network + ".\n  " + choice.sentence + "\n" + words;
  if (own_config) out += "  " + paths.registry_config() + " was here and is kept\n";
  return out + "Start it with: wattle up " + network + "\n";
}

}  // namespace

int run_restore(const Settings& settings) {
  if (settings.object.empty() || !settings.detail.empty())
    return fail(Exit::Usage, "say from which folder: wattle-registry restore FOLDER");
  if (!settings.document.empty() && !settings.journal_lost)
    return fail(Exit::Usage, "--document is for --journal-lost");
  if (geteuid() != 0) return fail(Exit::NotRoot, "only root may restore: run it with sudo");
  const auto backup = load_backup(settings.object);
  if (!backup) return fail(Exit::General, backup.error().text());
  if (!settings.network.empty() && settings.network != backup->manifest.network)
    return fail(Exit::General, "the backup is of network " + backup->manifest.network +
                                   ", not of " + settings.network + ": nothing was changed");
  const auto done = restore(settings, *backup);
  if (!done) return fail(Exit::General, done.error().text());
  std::printf("%s", done->c_str());
  return 0;
}

}  // namespace wattle::registry
