#include "metad/ctl/pending_store.h"

#include <fcntl.h>
#include <unistd.h>
#include <filesystem>

#include "common/os/file.h"

namespace wattle::ctl {

namespace {
constexpr std::size_t kMaxFile = 16 * 1024;
constexpr const char* kWaits = "waits";
}  // namespace

PendingStore::PendingStore(const os::Paths& paths)
    : state_(paths.state), folder_(paths.state + "/pending") {}

Outcome PendingStore::open() {
  if (const auto made = os::make_folder(state_, 0755); !made) return general(made.error());
  if (const auto made = os::make_folder(folder_, 0700, 0, 0); !made) return general(made.error());
  const std::string path = folder_ + "/lock";
  lock_ = os::Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock_.is_open()) return general(os::system_error("cannot open " + path));
  struct flock want {};
  want.l_type = F_WRLCK;
  want.l_whence = SEEK_SET;
  if (fcntl(lock_.raw(), F_SETLK, &want) == 0) return {};
  if (fcntl(lock_.raw(), F_GETLK, &want) != 0 || want.l_type == F_UNLCK)
    return Failure{Exit::Temporary, "another wattle join just ended: try again"};
  return Failure{Exit::Temporary, "another wattle join is at work here (process " +
                                      std::to_string(want.l_pid) + ")"};
}

std::optional<Pending> PendingStore::load() const {
  const auto url = os::read_text(folder_ + "/invite", kMaxFile);
  const auto identity = os::read_text(folder_ + "/identity", kMaxFile);
  const auto tls = os::read_text(folder_ + "/tls.key", kMaxFile);
  const auto nonce = os::read_text(folder_ + "/nonce", kMaxFile);
  const auto csr = os::read_file(folder_ + "/csr", kMaxFile);
  if (!url || !identity || !tls || !nonce || !csr) return std::nullopt;
  auto pending = from_files({*url, *identity, *tls, *nonce, *csr});
  if (!pending) return std::nullopt;
  return std::move(*pending);
}

Outcome PendingStore::save(const Pending& pending) const {
  const PendingFiles files = to_files(pending);
  const auto write = [this](const char* name, ByteView bytes) {
    return os::write_file(folder_ + "/" + name, bytes, 0400);
  };
  // The invite goes first and comes last: a folder with one is whole.
  ::unlink((folder_ + "/invite").c_str());
  ::unlink((folder_ + "/" + kWaits).c_str());
  for (const auto& written :
       {write("identity", as_bytes(files.identity_pem)), write("tls.key", as_bytes(files.tls_pem)),
        write("nonce", as_bytes(files.nonce_hex)), write("csr", files.csr),
        write("invite", as_bytes(files.url))})
    if (!written) return general(written.error());
  return {};
}

void PendingStore::note_waiting() const {
  static_cast<void>(os::write_file(folder_ + "/" + kWaits, {}, 0400).has_value());
}

bool PendingStore::has_waited() const { return os::exists(folder_ + "/" + kWaits); }

void PendingStore::remove() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
  lock_.close();
  // Only if empty: rmdir refuses otherwise.
  ::rmdir(state_.c_str());
  ::rmdir(std::filesystem::path(state_).parent_path().c_str());
}

}  // namespace wattle::ctl
