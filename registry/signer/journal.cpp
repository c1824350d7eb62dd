#include "registry/signer/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

#include "common/base/secret.h"
#include "common/os/file.h"
#include "common/os/instance.h"

namespace wattle::signer {
namespace {

constexpr std::size_t kChunk = 1024 * 1024;
static_assert(kChunk > registry::kMaxEntry);

Result<Bytes> read_at(int fd, std::uint64_t offset, std::size_t size, const std::string& path) {
  Bytes out(size);
  std::size_t have = 0;
  while (have < size) {
    const ssize_t n = pread(fd, out.data() + have, size - have, static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os::system_error("cannot read " + path);
    if (n == 0) break;
    have += static_cast<std::size_t>(n);
  }
  out.resize(have);
  return out;
}

bool write_all(int fd, ByteView bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const ssize_t n = pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
    offset += static_cast<std::uint64_t>(n);
  }
  return true;
}

}  // namespace

Result<Journal> Journal::open(const std::string& path, const Replay& replay, std::size_t& cut) {
  cut = 0;
  os::Fd file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!file.is_open()) {
    if (errno == ENOENT)
      return Error(Errc::NotFound, "there is no journal " + path +
                                       ": run wattle-registry init, or restore it from a backup");
    return os::system_error("cannot open " + path);
  }
  WATTLE_TRY(os::lock_file(file.raw(), path));
  Journal journal(std::move(file), path);
  WATTLE_TRY(journal.replay_all(replay, cut));
  return journal;
}

Result<Journal> Journal::create(const std::string& path) {
  os::Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file.is_open()) {
    if (errno == EEXIST) return Error(Errc::Exists, path + " exists already");
    return os::system_error("cannot create " + path);
  }
  WATTLE_TRY(os::lock_file(file.raw(), path));
  return Journal(std::move(file), path);
}

Result<void> Journal::replay_all(const Replay& replay, std::size_t& cut) {
  struct stat info {};
  if (fstat(file_.raw(), &info) != 0) return os::system_error("cannot look at " + path_);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  Bytes chunk;
  std::uint64_t chunk_at = 0;
  while (end_ < size) {
    const std::uint64_t chunk_end = chunk_at + chunk.size();
    if (chunk_end < size && end_ + registry::kMaxEntry > chunk_end) {
      wipe(chunk);
      chunk = WATTLE_TRY(read_at(file_.raw(), end_, kChunk, path_));
      chunk_at = end_;
    }
    const ByteView rest = ByteView(chunk).subspan(end_ - chunk_at);
    const auto entry = registry::decode_entry(rest, registry::Secrets::Expected);
    if (!entry) return cut_tail(rest, size, cut);
    WATTLE_TRY(replay(*entry));
    offsets_.push_back(end_);
    end_ += entry->size;
  }
  wipe(chunk);
  return {};
}

Result<void> Journal::cut_tail(ByteView rest, std::uint64_t size, std::size_t& cut) {
  const bool is_whole = end_ + rest.size() == size;
  if (!is_whole || registry::judge_tail(rest, next_sequence()) == registry::Tail::Damaged)
    return Error(Errc::BadValue,
                 path_ + " is damaged after entry " + std::to_string(next_sequence()) + " (byte " +
                     std::to_string(end_) + ") and goes on behind it: restore it from a backup");
  cut = rest.size();
  return cut_to(end_);
}

Result<void> Journal::cut_to(std::uint64_t size) {
  if (ftruncate(file_.raw(), static_cast<off_t>(size)) != 0 || fdatasync(file_.raw()) != 0)
    return os::system_error("cannot cut " + path_);
  return {};
}

Result<void> Journal::append(registry::Entry& entry) {
  if (broken_)
    return Error(Errc::System, path_ + " could not be written before: restart wattle-signer");
  Bytes bytes = registry::build_entry(entry);
  const bool written = write_all(file_.raw(), bytes, end_);
  wipe(bytes);
  if (!written || fdatasync(file_.raw()) != 0) {
    Error error = os::system_error("cannot write " + path_);
    // After a failed fdatasync nobody can say what is on the disk: cut it off and stop writing.
    broken_ = written || !cut_to(end_).has_value();
    if (written) static_cast<void>(cut_to(end_).has_value());
    return error;
  }
  offsets_.push_back(end_);
  end_ += entry.size;
  return {};
}

Result<std::vector<Bytes>> Journal::read(std::uint64_t from, std::size_t max_count,
                                         std::size_t max_bytes) const {
  std::vector<Bytes> out;
  std::size_t total = 0;
  for (std::uint64_t i = from; i < offsets_.size() && out.size() < max_count; ++i) {
    const std::uint64_t after = i + 1 < offsets_.size() ? offsets_[i + 1] : end_;
    const auto size = static_cast<std::size_t>(after - offsets_[i]);
    if (!out.empty() && total + size > max_bytes) break;
    Bytes whole = WATTLE_TRY(read_at(file_.raw(), offsets_[i], size, path_));
    if (whole.size() != size) return Error(Errc::System, path_ + " became shorter");
    out.push_back(registry::without_secret(whole));
    wipe(whole);
    total += size;
  }
  return out;
}

}  // namespace wattle::signer
