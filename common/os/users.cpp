#include "common/os/users.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

namespace wattle::os {
namespace {

constexpr std::size_t kMaxOutput = 1024;

// Debian keeps these programs here; PATH is not asked.
std::string program_path(const std::string& program) {
  for (const char* folder : {"/usr/sbin/", "/sbin/", "/usr/bin/"}) {
    std::string path = folder + program;
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

// What the program printed, as one line.
std::string collect(int fd) {
  std::string out;
  std::array<char, 256> buffer{};
  for (;;) {
    const ssize_t size = read(fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    out.append(buffer.data(), static_cast<std::size_t>(size));
    if (out.size() > kMaxOutput) out.resize(kMaxOutput);
  }
  for (char& c : out)
    if (c == '\n') c = ' ';
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

Result<void> run(std::vector<std::string> arguments) {
  const std::string name = arguments[0];
  const std::string path = program_path(name);
  if (path.empty())
    return Error(Errc::NotFound,
                 name + " is not installed: install the package passwd and try again");
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0)
    return Error(Errc::System, std::string("pipe: ") + std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDERR_FILENO);
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  std::string language = "LC_ALL=C";
  std::string search = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
  std::array<char*, 3> environment{language.data(), search.data(), nullptr};
  pid_t child = 0;
  const int failed =
      posix_spawn(&child, path.c_str(), &actions, nullptr, argv.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  close(pipe_ends[1]);
  if (failed != 0) {
    close(pipe_ends[0]);
    return Error(Errc::System, "cannot run " + path + ": " + std::strerror(failed));
  }
  const std::string output = collect(pipe_ends[0]);
  close(pipe_ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return Error(Errc::System, name + ": " + std::strerror(errno));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
  return Error(Errc::System, name + " failed for " + arguments.back() +
                                 (output.empty() ? std::string() : ": " + output));
}

}  // namespace

Result<User> find_user(const std::string& name) {
  std::vector<char> buffer(16 * 1024);
  passwd entry{};
  passwd* found = nullptr;
  const int failed = getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr) return User{entry.pw_uid, entry.pw_gid};
  if (failed != 0 && failed != ENOENT)
    return Error(Errc::System, "cannot look up user " + name + ": " + std::strerror(failed));
  return Error(Errc::NotFound, "there is no user " + name);
}

Result<gid_t> find_group(const std::string& name) {
  std::vector<char> buffer(64 * 1024);
  group entry{};
  group* found = nullptr;
  const int failed = getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (found != nullptr) return entry.gr_gid;
  if (failed != 0 && failed != ENOENT)
    return Error(Errc::System, "cannot look up group " + name + ": " + std::strerror(failed));
  return Error(Errc::NotFound, "there is no group " + name);
}

Result<User> ensure_user(const std::string& name, bool* made) {
  if (made != nullptr) *made = false;
  auto there = find_user(name);
  if (there || there.error().code != Errc::NotFound) return there;
  // A group of that name may be left over from an interrupted removal: then join it.
  const bool group_there = find_group(name).has_value();
  std::vector<std::string> arguments{"useradd",      "--system", "--no-create-home", "--home-dir",
                                     "/nonexistent", "--shell",  "/usr/sbin/nologin"};
  if (group_there) {
    arguments.insert(arguments.end(), {"--gid", name});
  } else {
    arguments.push_back("--user-group");
  }
  arguments.push_back(name);
  WATTLE_TRY(run(std::move(arguments)));
  if (made != nullptr) *made = true;
  return find_user(name);
}

Result<gid_t> ensure_group(const std::string& name, bool* made) {
  if (made != nullptr) *made = false;
  auto there = find_group(name);
  if (there || there.error().code != Errc::NotFound) return there;
  WATTLE_TRY(run({"groupadd", "--system", name}));
  if (made != nullptr) *made = true;
  return find_group(name);
}

Result<void> remove_user(const std::string& name) {
  if (find_user(name)) WATTLE_TRY(run({"userdel", name}));
  return remove_group(name);  // userdel removes an own group unless others use it
}

Result<void> remove_group(const std::string& name) {
  if (!find_group(name)) return {};
  return run({"groupdel", name});
}

}  // namespace wattle::os
