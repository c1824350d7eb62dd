#include "registry/admin/run.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <climits>

#include "common/os/fd.h"
#include "common/os/file.h"

namespace wattle::registry {
namespace {

constexpr std::size_t kMaxOutput = 256 * 1024;
constexpr int kCannotStart = 126;

std::vector<char*> pointers(std::vector<std::string>& argv) {
  std::vector<char*> out;
  for (std::string& argument : argv) out.push_back(argument.data());
  out.push_back(nullptr);
  return out;
}

Result<int> wait_for(pid_t child, const std::string& program) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return os::system_error("cannot wait for " + program);
  if (WIFEXITED(status)) {
    if (WEXITSTATUS(status) == kCannotStart)
      return Error(Errc::System, "cannot run " + program + ": is wattle installed completely?");
    return WEXITSTATUS(status);
  }
  return Error(Errc::System, program + " was ended by signal " + std::to_string(WTERMSIG(status)));
}

Result<std::string> read_all(int fd) {
  std::string out;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t size = read(fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return os::system_error("cannot read what a program prints");
    if (size == 0) return out;
    out.append(buffer.data(), static_cast<std::size_t>(size));
    if (out.size() > kMaxOutput) return Error(Errc::Full, "a program prints without end");
  }
}

}  // namespace

std::string program_folder() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return "/usr/sbin";
  const std::string whole(path.data(), static_cast<std::size_t>(size));
  return whole.substr(0, whole.rfind('/'));
}

Result<int> run(const std::vector<std::string>& arguments) {
  std::vector<std::string> copy = arguments;
  const std::vector<char*> argv = pointers(copy);
  const pid_t child = fork();
  if (child < 0) return os::system_error("cannot start " + arguments[0]);
  if (child == 0) {
    execv(argv[0], argv.data());
    _exit(kCannotStart);
  }
  return wait_for(child, arguments[0]);
}

Result<std::string> run_as(const os::User& user, const std::vector<std::string>& arguments) {
  std::vector<std::string> copy = arguments;
  const std::vector<char*> argv = pointers(copy);
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return os::system_error("cannot make a pipe");
  os::Fd reading(ends[0]);
  os::Fd writing(ends[1]);
  const pid_t child = fork();
  if (child < 0) return os::system_error("cannot start " + arguments[0]);
  if (child == 0) {
    char* const environment[] = {nullptr};
    if (dup2(writing.raw(), STDOUT_FILENO) >= 0 && setgroups(0, nullptr) == 0 &&
        setgid(user.gid) == 0 && setuid(user.uid) == 0)
      execve(argv[0], argv.data(), environment);
    _exit(kCannotStart);
  }
  writing.close();
  auto output = read_all(reading.raw());
  reading.close();
  const int status = WATTLE_TRY(wait_for(child, arguments[0]));
  if (status != 0)
    return Error(Errc::System, arguments[0] + " failed with exit code " + std::to_string(status));
  return output;
}

}  // namespace wattle::registry
