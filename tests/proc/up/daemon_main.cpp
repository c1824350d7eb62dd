// A daemon for the supervisor's tests, under the name of a real one. It writes down how it was
// started, then does the words in /etc/wattle/NET/script.PROGRAM (default: ready wait):
//   store=NAME  put a fresh file that holds our pid into the descriptor store, unless NAME was
//   passed ready       READY=1          wait       until SIGTERM, then exit 0 once=WORD   do WORD
//   in the first life only exit=N      end at once      abort, sigsys, stubborn (ignores SIGTERM),
//   silent (no watchdog)
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "common/os/service.h"

extern char** environ;

namespace {

volatile std::sig_atomic_t stop = 0;

std::string link_of(const char* path) {
  char text[128];
  const ssize_t size = ::readlink(path, text, sizeof text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : "";
}

std::string content_of(int fd) {
  char text[32];
  const ssize_t size = ::pread(fd, text, sizeof text, 0);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : "";
}

// The open descriptors beyond stderr, counted before anything is opened.
int count_descriptors() {
  int count = 0;
  for (int fd = 3; fd < 256; ++fd)
    if (::fcntl(fd, F_GETFD) >= 0) ++count;
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  const int descriptors = count_descriptors();
  const std::string program = std::string(argv[0]).substr(std::string(argv[0]).rfind('/') + 1);
  const std::string network = argv[argc - 1];
  std::ostringstream report;
  report << "args=";
  for (int i = 1; i < argc; ++i) report << argv[i] << ',';
  report << " pid=" << ::getpid() << " sid=" << ::getsid(0) << " uid=" << ::getuid()
         << " gid=" << ::getgid() << " groups=" << ::getgroups(0, nullptr)
         << " umask=" << ::umask(077) << " fds=" << descriptors
         << " net=" << link_of("/proc/self/ns/net");
  rlimit core{};
  ::getrlimit(RLIMIT_CORE, &core);
  report << " core=" << core.rlim_max << " variables=";
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string name = std::string(*variable).substr(0, std::strcspn(*variable, "="));
    if (!name.ends_with("SAN_OPTIONS")) report << name << ',';  // of builds with sanitizers
  }
  auto service = wattle::os::Service::open();
  if (!service) return 1;
  report << " names=";
  for (const std::string& name : service->names()) report << name << ',';
  for (wattle::os::Fd& fd : service->take_all("kept"))
    report << " kept=" << content_of(fd.raw()), ::close(fd.release());
  report << '\n';

  const std::string lives = "/run/fake/" + program;
  const bool first_life = ::access(lives.c_str(), F_OK) != 0;
  const bool had_kept = report.str().find(" kept=") != std::string::npos;
  std::ofstream(lives, std::ios::app) << report.str();

  struct sigaction action {};
  action.sa_handler = [](int) { stop = 1; };
  ::sigaction(SIGTERM, &action, nullptr);

  std::ifstream file("/etc/wattle/" + network + "/script." + program);
  std::vector<std::string> words{std::istream_iterator<std::string>(file), {}};
  if (words.empty()) words = {"ready", "wait"};
  bool silent = false;
  for (std::string word : words) {
    if (word.starts_with("once=")) {
      if (!first_life) continue;
      word = word.substr(5);
    }
    if (word.starts_with("store=") && !had_kept) {
      const int fd = ::memfd_create("kept", 0);
      const std::string pid = std::to_string(::getpid());
      if (::write(fd, pid.data(), pid.size()) < 0) return 1;
      service->store(word.substr(6), fd);
    }
    if (word == "ready") service->ready();
    if (word.starts_with("exit=")) return std::atoi(word.c_str() + 5);
    if (word == "abort") std::abort();
    if (word == "sigsys") ::kill(::getpid(), SIGSYS);
    if (word == "stubborn") ::signal(SIGTERM, SIG_IGN);
    if (word == "silent") silent = true;
    if (word == "wait")
      while (stop == 0) {
        ::poll(nullptr, 0, 1000);
        if (!silent) service->watchdog();
      }
  }
  return 0;
}
