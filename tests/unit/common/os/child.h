// Runs a function in a forked child, for tests of things a process does only once (the seal, passed
// descriptors).
#pragma once

#include <grp.h>
#include <sys/wait.h>
#include <unistd.h>
#include <functional>
#include <string>

namespace wattle::test {

inline constexpr uid_t kNobody = 65534;

// Gives up root for good; false if the kernel refuses.
inline bool become_nobody() {
  if (geteuid() != 0) return true;
  return setgroups(0, nullptr) == 0 && setresgid(kNobody, kNobody, kNobody) == 0 &&
         setresuid(kNobody, kNobody, kNobody) == 0;
}

struct Ending {
  bool exited = false;
  int code = 0;  // exit code, or the signal
};

inline Ending wait_for(pid_t pid) {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) return {true, WEXITSTATUS(status)};
  return {false, WTERMSIG(status)};
}

inline Ending in_child(const std::function<int()>& body) {
  const pid_t pid = fork();
  if (pid == 0) _exit(body());
  return wait_for(pid);
}

// A folder of its own under /tmp, removed with everything in it.
class TempFolder {
 public:
  TempFolder() {
    char name[] = "/tmp/wattle-test-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~TempFolder() {
    if (owner_ != getpid()) return;  // a forked child is not the owner
    [[maybe_unused]] const int code = system(("rm -rf '" + path_ + "'").c_str());
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
  pid_t owner_ = getpid();
};

}  // namespace wattle::test
