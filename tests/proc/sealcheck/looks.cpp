#include "tests/proc/sealcheck/looks.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "common/base/hex.h"
#include "common/crypto/p256.h"
#include "common/os/file.h"
#include "tests/proc/sealcheck/memory.h"

namespace wattle::sealcheck {
namespace {

std::string of(pid_t pid, const std::string& file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

std::vector<std::string> entries(const std::string& folder) {
  std::vector<std::string> out;
  DIR* open = ::opendir(folder.c_str());
  if (open == nullptr) return out;
  while (const dirent* entry = ::readdir(open))
    if (entry->d_name[0] != '.') out.emplace_back(entry->d_name);
  ::closedir(open);
  return out;
}

// One line of status, the same in every thread; "differs" otherwise. Words joined by commas.
std::string in_every_thread(pid_t pid, const std::string& key) {
  std::string out;
  for (const std::string& thread : entries(of(pid, "task"))) {
    std::ifstream status(of(pid, "task/" + thread + "/status"));
    for (std::string line; std::getline(status, line);) {
      std::istringstream words(line);
      std::string word, joined;
      words >> word;
      if (word != key + ":") continue;
      while (words >> word) joined += (joined.empty() ? "" : ",") + word;
      if (joined.empty()) joined = "none";
      if (!out.empty() && out != joined) return "differs";
      out = joined;
    }
  }
  return out.empty() ? "missing" : out;
}

std::string limit_of(pid_t pid, const std::string& name) {
  std::ifstream limits(of(pid, "limits"));
  for (std::string line; std::getline(limits, line);) {
    if (!line.starts_with(name)) continue;
    std::istringstream words(line.substr(name.size()));
    std::string soft, hard;
    words >> soft >> hard;
    return soft == hard ? soft : soft + "/" + hard;
  }
  return "missing";
}

// What a process of the daemon's own user gets; errno's name, or "ok".
std::string as_its_user(uid_t uid, const std::function<bool()>& act) {
  int ends[2];
  if (::pipe(ends) != 0) return "pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    int code = 0;
    if (::setgroups(0, nullptr) != 0 || ::setresgid(uid, uid, uid) != 0 ||
        ::setresuid(uid, uid, uid) != 0)
      code = ECANCELED;
    else if (!act())
      code = errno;
    if (::write(ends[1], &code, sizeof code) != sizeof code) ::_exit(1);
    ::_exit(0);
  }
  int code = -1;
  const ssize_t n = ::read(ends[0], &code, sizeof code);
  ::close(ends[0]);
  ::close(ends[1]);
  ::waitpid(child, nullptr, 0);
  if (n != sizeof code) return "lost";
  return code == 0 ? "ok" : ::strerrorname_np(code);
}

std::string writable_code(const Sight& s) {
  std::size_t count = 0;
  for (const Region& region : regions_of(s.pid))
    if (region.rights.find('w') != std::string::npos &&
        region.rights.find('x') != std::string::npos)
      ++count;
  return std::to_string(count);
}

// Of writable memory: whether it can be swapped out. Where nobody may lift RLIMIT_MEMLOCK (a
// container, for one), the key region is what can be asked for.
std::string locked(const Sight& s) {
  const bool limited = limit_of(s.pid, "Max locked memory") != "unlimited";
  std::size_t all = 0, count = 0;
  for (const Region& region : regions_of(s.pid)) {
    if (region.rights.substr(0, 2) != "rw") continue;
    ++all;
    if (region.has("lo")) ++count;
  }
  if (limited) return count == 0 ? "none" : "all-it-may";
  return count == 0 ? "none" : count == all ? "all-it-may" : "some";
}

std::string guarded(const Sight& s) {
  std::size_t count = 0;
  for (const Region& region : regions_of(s.pid))
    if (region.is_guarded()) ++count;
  return count == 0 ? "none" : "lo,dd,wf";
}

Bytes scalar_of(const std::string& file) {
  const auto text = os::read_text(file);
  if (!text) return {};
  const auto key = crypto::PrivateKey::from_pem(*text);
  return key ? to_bytes(key->scalar().view()) : Bytes{};
}

// Each of its private keys stands in guarded memory and nowhere else, in either order of bytes.
std::string keys_in_memory(const Sight& s) {
  if (s.key_files.empty()) return "-";
  for (const std::string& file : s.key_files) {
    Bytes key = scalar_of(file);
    if (key.empty()) return "no-key";
    std::size_t good = 0;
    for (int order = 0; order < 2; ++order) {
      const Places places = find_in_memory(s.pid, key);
      if (!places.others.empty()) {
        std::fprintf(stderr, "%s: at %s\n", file.c_str(), places.others.front().c_str());
        return "elsewhere";
      }
      good += places.guarded;
      std::reverse(key.begin(), key.end());
    }
    if (good == 0) return "not-found";
  }
  return "guarded";
}

// The text of the files they came from is gone: 32 characters out of the middle of each.
std::string key_texts(const Sight& s) {
  if (s.key_files.empty()) return "-";
  for (const std::string& file : s.key_files) {
    const auto text = os::read_text(file);
    const std::size_t line = text ? text->find('\n') : std::string::npos;
    if (line == std::string::npos || text->size() < line + 92) return "no-key";
    const Places places = find_in_memory(s.pid, as_bytes(text->substr(line + 50, 32)));
    if (places.guarded + places.others.size() != 0) {
      std::fprintf(stderr, "%s: text at %s\n", file.c_str(),
                   places.others.empty() ? "a guarded place" : places.others.front().c_str());
      return "found";
    }
  }
  return "gone";
}

std::string kind_of(pid_t pid, const std::string& fd) {
  char target[256] = {};
  if (::readlink(of(pid, "fd/" + fd).c_str(), target, sizeof target - 1) < 0) return "gone";
  std::string text = target;
  if (text.starts_with("anon_inode:")) {
    text.erase(0, 11);
    text.erase(
        std::remove_if(text.begin(), text.end(), [](char c) { return c == '[' || c == ']'; }),
        text.end());
    return text;
  }
  if (text == "/dev/net/tun") return "tun";
  if (text.starts_with("/var/lib/wattle/")) return text.substr(text.rfind('/') + 1);
  if (!text.starts_with("socket:[")) return text.starts_with("pipe:") ? "pipe" : text;
  const std::string inode = text.substr(8, text.size() - 9);
  for (const char* family : {"unix", "tcp", "tcp6", "udp", "udp6", "netlink"}) {
    std::ifstream lines(of(pid, std::string("net/") + family));
    // A daemon may hold sockets of the host's network while it lives in its own.
    std::ifstream host(of(1, std::string("net/") + family));
    for (std::istream* in : {static_cast<std::istream*>(&lines), static_cast<std::istream*>(&host)})
      for (std::string line; std::getline(*in, line);) {
        std::istringstream words(line);
        for (std::string word; words >> word;)
          if (word == inode) return std::string(family).substr(0, 3) == "tcp" ? "tcp" : family;
      }
  }
  return "socket";
}

// All but 0, 1 and 2, by kind, with how many; of TCP only that there are some.
std::string descriptors(const Sight& s) {
  std::map<std::string, int> kinds;
  for (const std::string& fd : entries(of(s.pid, "fd")))
    if (std::stoi(fd) > 2) ++kinds[kind_of(s.pid, fd)];
  std::string out;
  for (const auto& [kind, count] : kinds)
    out += (out.empty() ? "" : ",") + kind + (kind == "tcp" ? "" : ":" + std::to_string(count));
  return out;
}

std::string close_on_exec(const Sight& s) {
  for (const std::string& fd : entries(of(s.pid, "fd"))) {
    if (std::stoi(fd) <= 2) continue;
    std::ifstream info(of(s.pid, "fdinfo/" + fd));
    for (std::string line; std::getline(info, line);)
      if (line.starts_with("flags:") && (std::stoul(line.substr(6), nullptr, 8) & O_CLOEXEC) == 0)
        return "not-" + kind_of(s.pid, fd);
  }
  return "all";
}

std::string own_user(const Sight& s) {
  const std::string id = std::to_string(s.uid);
  return in_every_thread(s.pid, "Uid") == id + "," + id + "," + id + "," + id ? "own" : "other";
}

std::string owner_of_proc(const Sight& s) {
  struct stat info {};
  if (::stat(of(s.pid, "fd").c_str(), &info) != 0) return "missing";
  return info.st_uid == 0 ? "root" : "its-user";  // its user: it could be dumped
}

Look status(const char* key) {
  return {std::string(key) + " of every thread",
          [key](const Sight& s) { return in_every_thread(s.pid, key); }};
}

}  // namespace

const std::vector<Look>& looks() {
  static const std::vector<Look> all = {
      status("NoNewPrivs"),
      status("Seccomp"),
      status("CapInh"),
      status("CapPrm"),
      status("CapEff"),
      status("CapBnd"),
      status("CapAmb"),
      status("Groups"),
      {"user of every thread", own_user},
      {"limit of core files", [](const Sight& s) { return limit_of(s.pid, "Max core file size"); }},
      {"limit of descriptors", [](const Sight& s) { return limit_of(s.pid, "Max open files"); }},
      {"owner of /proc/PID", owner_of_proc},
      {"traced by its own user",
       [](const Sight& s) {
         return as_its_user(s.uid, [&] { return ::ptrace(PTRACE_SEIZE, s.pid, 0, 0) == 0; });
       }},
      {"memory opened by its own user",
       [](const Sight& s) {
         return as_its_user(s.uid, [&] { return ::open(of(s.pid, "mem").c_str(), O_RDONLY) >= 0; });
       }},
      {"memory both writable and executable", writable_code},
      {"memory that is locked", locked},
      {"key region", guarded},
      {"private keys", keys_in_memory},
      {"text of the key files", key_texts},
      {"descriptors", descriptors},
      {"descriptors closed on exec", close_on_exec},
  };
  return all;
}

std::string keys_in_child(pid_t parent, pid_t child) {
  const int memory =
      ::open(("/proc/" + std::to_string(child) + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  std::string out = "-";
  for (const Region& region : regions_of(parent)) {
    if (!region.has("lo") || !region.has("dd")) continue;
    Bytes bytes(region.to - region.from);
    if (::pread(memory, bytes.data(), bytes.size(), static_cast<off_t>(region.from)) <= 0) continue;
    out = std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; }) ? "zero"
                                                                                         : "there";
  }
  ::close(memory);
  return out;
}

}  // namespace wattle::sealcheck
