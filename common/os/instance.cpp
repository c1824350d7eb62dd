#include "common/os/instance.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <string_view>
#include <vector>

#include "common/base/parse.h"
#include "common/os/file.h"

namespace wattle::os {
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

Result<Holder> find_holder(const std::string& lock_path) {
  const Fd fd(::open(lock_path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.is_open() && errno == ENOENT) return Errc::NotFound;
  if (!fd.is_open()) return system_error("cannot open " + lock_path);
  Holder holder;
  holder.pid = read_pid(fd.raw());
  if (holder.pid > 0)
    holder.process = Fd(static_cast<int>(::syscall(SYS_pidfd_open, holder.pid, 0)));
  // Asked after the process was taken hold of: who holds the lock now wrote that pid and lives.
  if (::flock(fd.raw(), LOCK_SH | LOCK_NB) == 0) return Errc::NotFound;
  if (errno != EWOULDBLOCK) return system_error("cannot ask for the lock " + lock_path);
  if (!holder.process.is_open())
    return Error(Errc::Again, "the instance is just starting or stopping; try again");
  return holder;
}

Result<void> refuse_second(const std::string& run) {
  const auto holder = find_holder(run + "/lock");
  if (!holder || holder->pid == ::getppid()) return {};
  const std::string network = run.substr(run.rfind('/') + 1);
  return Error(Errc::Exists, "the network " + network + " is up already: process " +
                                 std::to_string(holder->pid) + " holds " + run +
                                 "/lock and runs its daemons; stop it with: wattle down " +
                                 network);
}

pid_t find_flock(const std::string& locks, std::uint64_t inode) {
  const std::string wanted = std::to_string(inode);
  for (const std::string_view line : split(locks, '\n')) {
    // "1: FLOCK  ADVISORY  WRITE 1234 00:1f:5678 0 EOF"; behind "1: ->" stands one that waits.
    std::vector<std::string_view> words;
    for (const std::string_view word : split(line, ' '))
      if (!word.empty()) words.push_back(word);
    if (words.size() < 6 || words[1] != "FLOCK") continue;
    if (words[5].substr(words[5].rfind(':') + 1) != wanted) continue;
    if (const auto pid = parse_decimal(words[4], 0x7fffffff)) return static_cast<pid_t>(*pid);
  }
  return 0;
}

Result<void> lock_file(int fd, const std::string& path) {
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return system_error("cannot lock " + path);
  struct stat info {};
  const auto locks = read_text("/proc/locks", 4 * 1024 * 1024);
  const pid_t pid = locks && ::fstat(fd, &info) == 0 ? find_flock(*locks, info.st_ino) : 0;
  const std::string who = pid > 0 ? "process " + std::to_string(pid) : "another process";
  return Error(Errc::Exists, path + " is in use: " + who + " holds it");
}

}  // namespace wattle::os
