#include "registry/admin/run.h"

#include <fcntl.h>
#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

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

Result<Bytes> read_all(int fd, std::size_t max_bytes) {
  Bytes out;
  Bytes buffer(64 * 1024);
  for (;;) {
    const ssize_t size = read(fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return os::system_error("cannot read what a program prints");
    if (size == 0) return out;
    out.insert(out.end(), buffer.begin(), buffer.begin() + size);
    if (out.size() > max_bytes) return Error(Errc::Full, "a program prints without end");
  }
}

bool write_whole(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t size = write(fd, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(size));
  }
  return true;
}

bool become(const os::User& user) {
  return setgroups(0, nullptr) == 0 && setgid(user.gid) == 0 && setuid(user.uid) == 0;
}

struct Pipe {
  os::Fd reading, writing;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return os::system_error("cannot make a pipe");
  return Pipe{os::Fd(ends[0]), os::Fd(ends[1])};
}

}  // namespace

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

Result<std::string> run_as(const os::User& user, const std::vector<std::string>& arguments,
                           std::string_view input) {
  std::vector<std::string> copy = arguments;
  const std::vector<char*> argv = pointers(copy);
  Pipe out = WATTLE_TRY(make_pipe());
  Pipe in = WATTLE_TRY(make_pipe());
  const pid_t child = fork();
  if (child < 0) return os::system_error("cannot start " + arguments[0]);
  if (child == 0) {
    char* const environment[] = {nullptr};
    if (dup2(out.writing.raw(), STDOUT_FILENO) >= 0 && dup2(in.reading.raw(), STDIN_FILENO) >= 0 &&
        become(user))
      execve(argv[0], argv.data(), environment);
    _exit(kCannotStart);
  }
  out.writing.close();
  in.reading.close();
  // A program that takes no input may be gone before it is written: no signal for that.
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  static_cast<void>(write_whole(in.writing.raw(), as_bytes(input)));
  std::signal(SIGPIPE, before);
  in.writing.close();
  const auto output = read_all(out.reading.raw(), kMaxOutput);
  out.reading.close();
  const int status = WATTLE_TRY(wait_for(child, arguments[0]));
  if (status != 0)
    return Error(Errc::System, arguments[0] + " failed with exit code " + std::to_string(status));
  const Bytes bytes = WATTLE_TRY(output);
  return std::string(as_text(bytes));
}

Result<Bytes> do_as(const os::User& user, const std::function<Result<Bytes>()>& work,
                    std::size_t max_bytes) {
  Pipe pipe = WATTLE_TRY(make_pipe());
  const pid_t child = fork();
  if (child < 0) return os::system_error("cannot start a process");
  if (child == 0) {
    if (!become(user)) _exit(kCannotStart);
    const auto done = work();
    if (!done) std::fprintf(stderr, "wattle-registry: %s\n", done.error().text().c_str());
    _exit(done && write_whole(pipe.writing.raw(), *done) ? 0 : 1);
  }
  pipe.writing.close();
  const auto output = read_all(pipe.reading.raw(), max_bytes);
  pipe.reading.close();
  const int status = WATTLE_TRY(wait_for(child, "a process of another user"));
  if (status != 0) return Error(Errc::System, "a process of another user failed");
  return output;
}

}  // namespace wattle::registry
