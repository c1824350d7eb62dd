#include "common/os/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>

namespace wattle::os {

namespace {

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<void> write_all(int fd, ByteView bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot write " + path);
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> fill_new(const std::string& path, ByteView bytes, mode_t mode, int uid, int gid) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.is_open()) return system_error("cannot create " + path);
  // Mode before owner would be lost where chown clears bits; nobody else reads it before the
  // rename.
  if ((uid >= 0 || gid >= 0) &&
      fchown(file.raw(), static_cast<uid_t>(uid), static_cast<gid_t>(gid)) != 0)
    return system_error("cannot change the owner of " + path);
  if (fchmod(file.raw(), mode) != 0) return system_error("cannot change the mode of " + path);
  WATTLE_TRY(write_all(file.raw(), bytes, path));
  if (fsync(file.raw()) != 0) return system_error("cannot write " + path + " to the disk");
  return {};
}

}  // namespace

Error system_error(const std::string& what) {
  const int code = errno;
  char buffer[128];
  return Error(Errc::System, what + ": " + strerror_r(code, buffer, sizeof buffer));
}

Result<Bytes> read_file(const std::string& path, std::size_t max_bytes) {
  // O_NONBLOCK: a FIFO in the place of a file must not hang a daemon; no effect on regular files.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!file.is_open()) {
    if (errno == ENOENT) return Error(Errc::NotFound, "there is no file " + path);
    return system_error("cannot open " + path);
  }
  struct stat info {};
  if (fstat(file.raw(), &info) != 0) return system_error("cannot look at " + path);
  if (!S_ISREG(info.st_mode)) return Error(Errc::System, path + " is not a regular file");
  Bytes bytes;
  std::size_t used = 0;
  for (;;) {
    bytes.resize(std::min(max_bytes + 1, used + 16384));
    const ssize_t n = ::read(file.raw(), bytes.data() + used, bytes.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot read " + path);
    used += static_cast<std::size_t>(n);
    if (used > max_bytes)
      return Error(Errc::Full, path + " is larger than " + std::to_string(max_bytes) + " bytes");
    if (n == 0) break;
  }
  bytes.resize(used);
  return bytes;
}

Result<std::string> read_text(const std::string& path, std::size_t max_bytes) {
  const Bytes bytes = WATTLE_TRY(read_file(path, max_bytes));
  return std::string(as_text(bytes));
}

Result<void> write_file(const std::string& path, ByteView bytes, mode_t mode, int uid, int gid) {
  const std::string fresh = path + ".new";
  if (::unlink(fresh.c_str()) != 0 && errno != ENOENT)
    return system_error("cannot remove the left-over " + fresh);
  auto filled = fill_new(fresh, bytes, mode, uid, gid);
  if (!filled) {
    ::unlink(fresh.c_str());
    return filled;
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) {
    const Error error = system_error("cannot rename " + fresh + " to " + path);
    ::unlink(fresh.c_str());
    return error;
  }
  const std::string folder = folder_of(path);
  const Fd dir(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!dir.is_open()) return system_error("cannot open the folder " + folder);
  if (fsync(dir.raw()) != 0)
    return system_error("cannot write the folder " + folder + " to the disk");
  return {};
}

Result<void> make_folder(const std::string& path, mode_t mode, int uid, int gid) {
  if (::mkdir(path.c_str(), 0700) != 0) {
    if (errno == ENOENT && folder_of(path) != path) {
      WATTLE_TRY(make_folder(folder_of(path), 0755));
      if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return system_error("cannot make the folder " + path);
    } else if (errno != EEXIST) {
      return system_error("cannot make the folder " + path);
    }
  }
  const Fd dir(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!dir.is_open()) return system_error("cannot open the folder " + path);
  if ((uid >= 0 || gid >= 0) &&
      fchown(dir.raw(), static_cast<uid_t>(uid), static_cast<gid_t>(gid)) != 0)
    return system_error("cannot change the owner of " + path);
  if (fchmod(dir.raw(), mode) != 0) return system_error("cannot change the mode of " + path);
  return {};
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace wattle::os
