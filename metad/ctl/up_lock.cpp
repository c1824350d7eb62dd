#include "metad/ctl/up_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>

#include "common/base/parse.h"
#include "common/os/file.h"

namespace wattle::ctl {
namespace {

// 0 if the file does not say.
pid_t read_pid(int fd) {
  char text[32];
  const ssize_t size = ::pread(fd, text, sizeof text, 0);
  if (size <= 0) return 0;
  const std::string_view all(text, static_cast<std::size_t>(size));
  const auto number = parse_decimal(all.substr(0, all.find('\n')), 0x7fffffff);
  return number ? static_cast<pid_t>(number.value()) : 0;
}

}  // namespace

Result<InstanceLock> InstanceLock::take(const std::string& path, const std::string& network) {
  InstanceLock lock;
  lock.fd_ = os::Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!lock.fd_.is_open()) return os::system_error("cannot open " + path);
  if (::flock(lock.fd_.raw(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return os::system_error("cannot lock " + path);
  const pid_t holder = read_pid(lock.fd_.raw());
  const std::string who = holder > 0 ? "process " + std::to_string(holder) : "another process";
  return Error(Errc::Exists, "the network " + network + " is up already: " + who + " holds " +
                                 path + "; stop it with: wattle down " + network);
}

Result<void> InstanceLock::write_pid() {
  const std::string text = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd_.raw(), 0) != 0 ||
      ::pwrite(fd_.raw(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
    return os::system_error("cannot write the lock file");
  return {};
}

Result<Holder> find_holder(const std::string& path) {
  const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.is_open() && errno == ENOENT) return Errc::NotFound;
  if (!fd.is_open()) return os::system_error("cannot open " + path);
  Holder holder;
  holder.pid = read_pid(fd.raw());
  if (holder.pid > 0)
    holder.process = os::Fd(static_cast<int>(::syscall(SYS_pidfd_open, holder.pid, 0)));
  // Asked after the process was taken hold of: who holds the lock now wrote that pid and lives.
  if (::flock(fd.raw(), LOCK_SH | LOCK_NB) == 0) return Errc::NotFound;
  if (errno != EWOULDBLOCK) return os::system_error("cannot ask for the lock " + path);
  if (!holder.process.is_open())
    return Error(Errc::Again, "the instance is just starting or stopping; try again");
  return holder;
}

}  // namespace wattle::ctl
