#include "metad/ctl/helper_process.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <csignal>

#include "common/os/clock.h"
#include "common/os/fd.h"
#include "common/os/file.h"
#include "common/os/paths.h"
#include "metad/ctl/framing.h"

namespace wattle::ctl {

namespace {

constexpr uid_t kNobody = 65534;
constexpr int kCannotStart = 125;

struct Pipe {
  os::Fd read, write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> fds{};
  if (pipe2(fds.data(), O_CLOEXEC) != 0) return os::system_error("cannot make a pipe");
  return Pipe{os::Fd(fds[0]), os::Fd(fds[1])};
}

// The helper's file, opened here: nobody need not be able to reach its folder.
Result<os::Fd> open_program(const Helper& helper) {
  const std::string folder = helper.folder.empty() ? os::program_folder() : helper.folder;
  const std::string path = folder + "/" + helper.program;
  os::Fd file(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!file.is_open()) return os::system_error("cannot open " + path);
  return file;
}

void limit(__rlimit_resource resource, rlim_t value) {
  const rlimit both{value, value};
  if (setrlimit(resource, &both) != 0) _exit(kCannotStart);
}

void must(bool done) {
  if (!done) _exit(kCannotStart);
}

// In the child: nothing of ours is left but the two pipe ends and the program file.
[[noreturn]] void become(const Helper& helper, int in, int out, int program, pid_t parent) {
  const int null = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  must(null >= 0);
  // Moved up first, so that none of them is overwritten by another's place.
  const int high_in = fcntl(in, F_DUPFD, 10);
  const int high_out = fcntl(out, F_DUPFD, 10);
  const int high_null = fcntl(null, F_DUPFD, 10);
  const int high_program = fcntl(program, F_DUPFD_CLOEXEC, 10);
  must(dup2(high_in, 0) == 0 && dup2(high_out, 1) == 1 && dup2(high_null, 2) == 2);
  must(dup3(high_program, 3, O_CLOEXEC) == 3);
  must(close_range(4, ~0U, 0) == 0);
  must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent);
  must(chdir("/") == 0);
  if (!helper.has_network) must(unshare(CLONE_NEWNET | CLONE_NEWIPC) == 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_FSIZE, 0);
  limit(RLIMIT_CPU, 10);
  limit(RLIMIT_NOFILE, 64);
#ifndef WATTLE_SANITIZED
  limit(RLIMIT_AS, rlim_t{512} << 20);
#endif
  must(setgroups(0, nullptr) == 0);
  must(setresgid(kNobody, kNobody, kNobody) == 0);
  must(setresuid(kNobody, kNobody, kNobody) == 0);
  must(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);  // cleared by the change of user
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  std::string name = helper.program;
  char* const argv[] = {name.data(), nullptr};
  char* const environment[] = {nullptr};
  syscall(SYS_execveat, 3, "", argv, environment, AT_EMPTY_PATH);
  _exit(kCannotStart);
}

// Ends the child on every way out.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      wait();
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  int wait() {
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_;
};

// Writes `message` and reads the answer at the same time, until its end or the deadline.
Result<Bytes> converse(os::Fd in, os::Fd out, ByteView message, Instant deadline) {
  fcntl(in.raw(), F_SETFL, O_NONBLOCK);
  fcntl(out.raw(), F_SETFL, O_NONBLOCK);
  Bytes answer;
  ByteArray<16384> chunk;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - os::now());
    if (left.count() <= 0) return Errc::Timeout;
    std::array<pollfd, 2> polls = {pollfd{out.raw(), POLLIN, 0}, pollfd{in.raw(), POLLOUT, 0}};
    const nfds_t count = in.is_open() ? 2 : 1;
    if (poll(polls.data(), count, static_cast<int>(left.count())) < 0 && errno != EINTR)
      return os::system_error("cannot wait for the helper");
    if (in.is_open() && polls[1].revents != 0) {
      const ssize_t put = ::write(in.raw(), message.data(), message.size());
      if (put > 0) message = message.subspan(static_cast<std::size_t>(put));
      if ((put < 0 && errno != EAGAIN && errno != EINTR) || message.empty()) in.close();
    }
    if (polls[0].revents == 0) continue;
    const ssize_t got = ::read(out.raw(), chunk.data(), chunk.size());
    if (got == 0) return answer;
    if (got < 0 && errno != EAGAIN && errno != EINTR)
      return os::system_error("cannot read the helper's answer");
    if (got > 0) answer.insert(answer.end(), chunk.begin(), chunk.begin() + got);
    if (answer.size() > kMaxHelperMessage) return Errc::Full;
  }
}

std::string ending_of(int status) {
  if (WIFSIGNALED(status)) return "was killed by signal " + std::to_string(WTERMSIG(status));
  if (WEXITSTATUS(status) == kCannotStart) return "could not be started";
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

Result<Bytes> run_helper(const Helper& helper, ByteView body) {
  const os::Fd program = WATTLE_TRY(open_program(helper));
  Pipe to = WATTLE_TRY(make_pipe());
  Pipe from = WATTLE_TRY(make_pipe());
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid < 0) return os::system_error("cannot start " + std::string(helper.program));
  if (pid == 0) become(helper, to.read.raw(), from.write.raw(), program.raw(), parent);
  Child child(pid);
  to.read.close();
  from.write.close();
  const Bytes message = frame_message(body);
  const auto answer =
      converse(std::move(to.write), std::move(from.read), message, os::now() + helper.limit);
  if (!answer && answer.error().code == Errc::Timeout)
    return Error(Errc::Timeout, std::string(helper.program) + " did not answer in time");
  if (!answer) return answer.error();
  const int status = child.wait();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    return Error(Errc::Closed, std::string(helper.program) + " " + ending_of(status));
  const auto inner = unframe_message(*answer);
  if (!inner)
    return Error(Errc::Closed, std::string(helper.program) + " gave an answer without sense");
  return to_bytes(*inner);
}

}  // namespace wattle::ctl
