#include "metad/ctl/up_log.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>

#include "common/os/file.h"
#include "common/os/users.h"

namespace wattle::ctl {
namespace {

constexpr std::int64_t kTail = 4096;

}  // namespace

Result<os::Fd> open_log(const std::string& path) {
  os::Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!fd.is_open()) return os::system_error("cannot open the log " + path);
  const auto group = os::find_group(os::kLookGroup);
  if (::fchown(fd.raw(), 0, group ? group.value() : 0) != 0 || ::fchmod(fd.raw(), 0640) != 0)
    return os::system_error("cannot set the owner of the log " + path);
  return fd;
}

void trim_log(int fd, const std::string& former) {
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size <= kMaxLog) return;
  // The daemons write to the same open file, always at its end: it is emptied, not replaced.
  const os::Fd in(::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC));
  const os::Fd out(
      ::open(former.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
  off_t left = info.st_size;
  while (in.is_open() && out.is_open() && left > 0) {
    const ssize_t sent = ::sendfile(out.raw(), in.raw(), nullptr, static_cast<std::size_t>(left));
    if (sent <= 0) break;
    left -= sent;
  }
  [[maybe_unused]] const int emptied = ::ftruncate(fd, 0);
}

std::int64_t log_size(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_size : 0;
}

std::string read_log_since(const std::string& path, std::int64_t from) {
  const std::int64_t size = log_size(path);
  const std::int64_t start = std::max(from, size - kTail);
  if (start >= size) return {};
  const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(static_cast<std::size_t>(size - start), '\0');
  const ssize_t got = fd.is_open() ? ::pread(fd.raw(), text.data(), text.size(), start) : 0;
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  if (start > from) text.erase(0, text.find('\n') + 1);
  return text;
}

}  // namespace wattle::ctl
