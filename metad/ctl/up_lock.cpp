#include "metad/ctl/up_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <cerrno>

#include "common/os/file.h"

namespace wattle::ctl {

Result<InstanceLock> InstanceLock::take(const std::string& path, const std::string& network) {
  InstanceLock lock;
  lock.fd_ = os::Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!lock.fd_.is_open()) return os::system_error("cannot open " + path);
  if (::flock(lock.fd_.raw(), LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return os::system_error("cannot lock " + path);
  const auto holder = os::find_holder(path);
  const std::string who = holder ? "process " + std::to_string(holder->pid) : "another process";
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

}  // namespace wattle::ctl
