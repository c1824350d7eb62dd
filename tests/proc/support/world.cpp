#include "tests/proc/support/world.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

namespace wattle::test {

bool enter_world(std::string& why_not) {
  const auto failed = [&](const char* what) {
    why_not = std::string(what) + ": " + std::strerror(errno);
    return false;
  };
  if (::geteuid() != 0) {
    why_not = "needs root";
    return false;
  }
  // A second world in the same process starts from the host's, not inside the first.
  static const int host[] = {::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC),
                             ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)};
  for (const int space : host)
    if (::setns(space, 0) != 0) return failed("setns");
  if (::unshare(CLONE_NEWNS | CLONE_NEWNET) != 0) return failed("unshare");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return failed("private /");
  // /mnt is only the place to hang the overlay's layers; the host does not see it.
  if (::mount("tmpfs", "/mnt", "tmpfs", 0, "mode=0755") != 0) return failed("tmpfs");
  ::mkdir("/mnt/upper", 0755);
  ::mkdir("/mnt/work", 0755);
  if (::mount("overlay", "/etc", "overlay", 0,
              "lowerdir=/etc,upperdir=/mnt/upper,workdir=/mnt/work") != 0)
    return failed("overlay over /etc");
  for (const char* folder : {"/run", "/var/lib"})
    if (::mount("tmpfs", folder, "tmpfs", 0, "mode=0755") != 0) return failed(folder);
  return true;
}

void add_user(const std::string& name, unsigned id) {
  const std::string number = std::to_string(id);
  std::ofstream("/etc/passwd", std::ios::app)
      << name << ":x:" << number << ":" << number << "::/nonexistent:/usr/sbin/nologin\n";
  std::ofstream("/etc/group", std::ios::app) << name << ":x:" << number << ":\n";
}

void write_text(const std::string& path, const std::string& text, unsigned mode) {
  std::ofstream(path, std::ios::trunc) << text;
  ::chmod(path.c_str(), mode);
}

std::string read_all(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string run_shell(const std::string& command) {
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  std::string out;
  char buffer[512];
  while (const std::size_t size = std::fread(buffer, 1, sizeof buffer, pipe))
    out.append(buffer, size);
  ::pclose(pipe);
  return out;
}

bool wait_until(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

std::string status_of(int pid, const std::string& key) {
  std::istringstream lines(read_all("/proc/" + std::to_string(pid) + "/status"));
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(key + ":")) {
      const std::size_t start = line.find_first_not_of(" \t", key.size() + 1);
      return start == std::string::npos ? "" : line.substr(start);
    }
  return {};
}

}  // namespace wattle::test
