#include "cryptod/keys/io/counter_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <cerrno>

#include "common/os/file.h"
#include "common/os/instance.h"
#include "common/os/log.h"

namespace wattle::keys {

namespace {

// As much of the slot as the file has.
Result<Bytes> read_slot(int fd, std::size_t index, const std::string& path) {
  Bytes slot(kSlotSize);
  std::size_t used = 0;
  while (used < slot.size()) {
    const ssize_t n = ::pread(fd, slot.data() + used, slot.size() - used,
                              static_cast<off_t>(index * kSlotStride + used));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return os::system_error("cannot read " + path);
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
  }
  slot.resize(used);
  return slot;
}

void report(Health health, const std::string& path) {
  namespace log = os::log;
  switch (health) {
    case Health::Fresh:
      return log::notice("the counter file is new; epoch and seqno start from the clock",
                         {{log::Key::Path, path}});
    case Health::Good:
      return;
    case Health::OneDamaged:
      return log::warning("one slot of the counter file is damaged; the other one is used",
                          {{log::Key::Path, path}});
    case Health::BothDamaged:
      return log::error(
          "both slots of the counter file are damaged; epoch and seqno start from the clock: make "
          "sure that it is right",
          {{log::Key::Path, path}});
  }
}

}  // namespace

Result<CounterFile> CounterFile::open(const std::string& path) {
  os::Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600));
  if (!file.is_open()) return os::system_error("cannot open the counter file " + path);
  WATTLE_TRY(os::lock_file(file.raw(), path));
  const Bytes slot0 = WATTLE_TRY(read_slot(file.raw(), 0, path));
  const Bytes slot1 = WATTLE_TRY(read_slot(file.raw(), 1, path));
  // A full disk must not stop the signing later. Not every file system can promise it.
  [[maybe_unused]] const int reserved =
      posix_fallocate(file.raw(), 0, static_cast<off_t>(kSlotStride + kSlotSize));
  const Loaded loaded = load_slots(slot0, slot1);
  report(loaded.health, path);
  return CounterFile(std::move(file), loaded);
}

bool CounterFile::store(const Counters& counters) {
  const SlotBytes slot = build_slot(counters);
  const auto offset = static_cast<off_t>(counters.generation % 2 * kSlotStride);
  ssize_t written = 0;
  do {
    written = ::pwrite(file_.raw(), slot.data(), slot.size(), offset);
  } while (written < 0 && errno == EINTR);
  if (written != static_cast<ssize_t>(slot.size()) || ::fdatasync(file_.raw()) != 0) {
    complaints_.write(os::log::Level::Error,
                      os::system_error("cannot write the counter file; nothing is signed").text());
    return false;
  }
  return true;
}

}  // namespace wattle::keys
