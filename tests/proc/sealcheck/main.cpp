// sealcheck: whether the seal of each real daemon holds. Run as root on a host with two networks.
//
//   sealcheck table NET OTHER FOLDER EXPECTED [DAEMON...]   starts NET's daemons (which must not
//       run), looks at each, tries everything from inside, prints a table of processes and reasons
//       and compares it with the file EXPECTED
//   sealcheck keys PID FILE     the AES-256 keys in its key region go to FILE: how many there are,
//       and whether there are copies elsewhere
//   sealcheck stranger SOCKET   connects as nobody: what comes of it
//   sealcheck erased PID FILE   how many of those in FILE are still anywhere in its memory
#include <grp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include "common/os/file.h"
#include "common/os/paths.h"
#include "common/os/unix_socket.h"
#include "tests/proc/sealcheck/attempts.h"
#include "tests/proc/sealcheck/launcher.h"
#include "tests/proc/sealcheck/looks.h"
#include "tests/proc/sealcheck/memory.h"
#include "tests/proc/sealcheck/ring.h"

namespace wattle::sealcheck {
namespace {

using Row = std::map<std::string, std::string>;  // daemon to reason
struct Table {
  std::vector<std::string> order;
  std::map<std::string, Row> rows;
  void put(const std::string& name, const std::string& daemon, const std::string& reason) {
    if (!rows.contains(name)) order.push_back(name);
    rows[name][daemon] = reason;
  }
};

std::vector<std::string> key_files(const std::string& state, const std::string& daemon) {
  if (daemon == "keyd") return {state + "/key/identity"};
  if (daemon == "metad") return {state + "/meta/tls.key"};
  if (daemon == "registry") return {state + "/registry/https.key"};
  if (daemon != "signer") return {};
  return {state + "/signer/ca.key", state + "/signer/credential.key",
          state + "/signer/document.key"};
}

pid_t pid_of(const std::string& program, const std::string& network) {
  for (pid_t pid = 2; pid < 100000; ++pid) {
    std::ifstream words("/proc/" + std::to_string(pid) + "/cmdline");
    std::stringstream all;
    all << words.rdbuf();
    std::string text = all.str();
    std::replace(text.begin(), text.end(), '\0', ' ');
    if (text.find(program + " ") != std::string::npos &&
        text.find("--net " + network + " ") != std::string::npos)
      return pid;
  }
  return -1;
}

// A process of that user that only waits.
pid_t start_waiter(uid_t uid) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  if (::setresuid(uid, uid, uid) != 0) ::_exit(1);
  for (;;) ::pause();
}

// A fresh process in the sealed state for every attempt: forked off the real one, so that the real
// one survives what kills its twin.
void try_all(Launcher& launcher, const std::string& daemon, Targets targets, Table& table) {
  const pid_t pid = launcher.start(daemon);
  if (pid < 0) {
    table.put("starts", daemon, "no:" + launcher.error());
    return;
  }
  table.put("starts", daemon, "yes");
  ::usleep(300'000);  // until it has connected its lanes
  const uid_t uid = launcher.uid_of(daemon);
  const Sight sight{pid, uid, key_files(os::Paths(targets.own).state, daemon)};
  for (const Look& look : looks()) table.put(look.name, daemon, look.see(sight));

  ::unlink("/tmp/sealcheck.new");
  targets.daemon = daemon;
  targets.own_file = "/tmp/sealcheck." + std::to_string(uid);
  targets.outsider = start_waiter(uid);
  std::ofstream(targets.own_file) << "x";
  if (::chown(targets.own_file.c_str(), uid, 0) != 0) std::perror("chown");
  Injector parent(pid);
  const auto once = [&](const Attempt& attempt, bool filtered) {
    const pid_t child = parent.fork_off();
    if (child < 0) return parent.error();
    Injector injector(child, Injector::Forked{});
    if (!injector.is_attached()) return injector.error();
    if (!filtered) injector.suspend_filter(true);
    return attempt.run(injector, targets).text();
  };
  {
    const pid_t child = parent.fork_off();
    const Injector injector(child, Injector::Forked{});
    table.put("key region in a child", daemon, keys_in_child(pid, child));
  }
  for (const Attempt& attempt : filtered_attempts())
    table.put(attempt.name, daemon, once(attempt, true));
  for (const Attempt& attempt : unfiltered_attempts())
    table.put("without the filter: " + attempt.name, daemon, once(attempt, false));
  for (const auto& [name, result] : try_ring(parent)) table.put(name, daemon, result);
  ::kill(targets.outsider, SIGKILL);
  ::waitpid(targets.outsider, nullptr, 0);
  ::unlink(targets.own_file.c_str());
}

// A key file that others may read keeps its daemon from starting.
void try_modes(Launcher& launcher, const std::string& state, const std::string& daemon,
               Table& table) {
  std::string result = "-";
  for (const std::string& file : key_files(state, daemon)) {
    struct stat before {};
    if (::stat(file.c_str(), &before) != 0) continue;
    ::chmod(file.c_str(), before.st_mode | 0044);
    const pid_t pid = launcher.start(daemon);
    ::chmod(file.c_str(), before.st_mode);
    result = pid > 0 ? "starts" : "exit-" + std::to_string(launcher.last_exit());
    if (pid > 0) break;
  }
  launcher.stop(daemon);
  table.put("start with a key file that others may read", daemon, result);
  std::string modes = "-";
  for (const std::string& file : key_files(state, daemon)) {
    struct stat info {};
    ::stat(file.c_str(), &info);
    char text[16];
    std::snprintf(text, sizeof text, "%04o", info.st_mode & 07777u);
    modes = info.st_uid == launcher.uid_of(daemon) ? text : "not-its-own";
  }
  table.put("mode of its key files", daemon, modes);
}

std::map<std::string, std::vector<std::string>> read_expected(const std::string& path) {
  std::map<std::string, std::vector<std::string>> out;
  std::ifstream lines(path);
  for (std::string line; std::getline(lines, line);) {
    const auto bar = line.find(" | ");
    if (line.starts_with("#") || bar == std::string::npos) continue;
    std::string name = line.substr(0, bar);
    name.erase(name.find_last_not_of(' ') + 1);
    std::istringstream words(line.substr(bar + 3));
    for (std::string word; words >> word;) out[name].push_back(word);
  }
  return out;
}

int judge(const Table& table, const std::vector<std::string>& daemons,
          const std::vector<std::string>& all, const std::string& expected_file) {
  const auto expected = read_expected(expected_file);
  std::size_t wrong = 0, cells = 0;
  for (const std::string& name : table.order) {
    const Row& row = table.rows.at(name);
    const auto wanted = expected.find(name);
    bool same = row.size() == daemons.size();
    std::string line;
    for (const auto& [daemon, reason] : row) same = same && reason == row.begin()->second;
    for (const std::string& daemon : daemons)
      if (!same || line.empty())
        line += (line.empty() ? "" : " ") + (row.contains(daemon) ? row.at(daemon) : "?");
    std::printf("%-52s | %s\n", name.c_str(), line.c_str());
    for (const std::string& daemon : daemons) {
      if (!row.contains(daemon)) continue;
      ++cells;
      const auto column =
          static_cast<std::size_t>(std::find(all.begin(), all.end(), daemon) - all.begin());
      std::string want = "(not in the table)";
      if (wanted != expected.end()) {
        const auto& words = wanted->second;
        want = words.size() == 1 ? words[0] : column < words.size() ? words[column] : "(missing)";
      }
      if (row.at(daemon) == want) continue;
      ++wrong;
      std::printf("  WRONG: %s: %s: %s, should be %s\n", daemon.c_str(), name.c_str(),
                  row.at(daemon).c_str(), want.c_str());
    }
  }
  for (const auto& [name, words] : expected)
    if (!table.rows.contains(name)) {
      ++wrong;
      std::printf("  WRONG: nothing tried \"%s\"\n", name.c_str());
    }
  std::printf("%zu attempts and looks, %zu cells, %zu wrong\n", table.order.size(), cells, wrong);
  return wrong == 0 ? 0 : 1;
}

int run_table(const std::vector<std::string>& words) {
  const std::string network = words[0], state = os::Paths(network).state;
  Launcher launcher(network, words[2]);
  const std::vector<std::string> all = launcher.names();
  std::vector<std::string> daemons(words.begin() + 4, words.end());
  if (daemons.empty()) daemons = all;
  Targets targets;
  targets.own = network;
  targets.other = words[1];
  targets.other_metad = pid_of("wattle-metad", targets.other);
  if (targets.other_metad < 0) {
    std::fprintf(stderr, "sealcheck: the network %s does not run\n", targets.other.c_str());
    return 2;
  }
  // What abstract sockets outside their domain look like to them.
  const int abstract = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path + 1, "sealcheck");
  if (::bind(abstract, reinterpret_cast<sockaddr*>(&address), sizeof(sa_family_t) + 10) != 0 ||
      ::listen(abstract, 64) != 0)
    std::perror("sealcheck: abstract socket");
  Table table;
  for (const std::string& daemon : daemons) {
    targets.program = words[2] + "/wattle-" + (daemon == Launcher::kWithRing ? "cryptod" : daemon);
    try_all(launcher, daemon, targets, table);
    launcher.stop(daemon);
    try_modes(launcher, state, daemon, table);
  }
  return judge(table, daemons, all, words[3]);
}

// 00 01 ... 1f: the key of the random generator's derivation function (NIST SP 800-90A, 10.3.2).
bool is_constant(const Bytes& schedule) {
  for (std::size_t i = 0; i < 32; ++i)
    if (schedule[i] != i) return false;
  return true;
}

int run_keys(pid_t pid, const std::string& file) {
  std::size_t sessions = 0, generators = 0, outside = 0;
  std::ofstream out(file, std::ios::binary);
  for (const Bytes& schedule : aes_schedules(pid)) {
    const Places places = find_in_memory(pid, ByteView(schedule).first(32));
    if (places.guarded == 0) continue;  // of a digest of something public
    if (is_constant(schedule)) continue;
    // The random generator has each of its keys in two ciphers; they are not of a session.
    if (places.guarded > 1) {
      ++generators;
    } else {
      ++sessions;
      out.write(reinterpret_cast<const char*>(schedule.data()),
                static_cast<std::streamsize>(schedule.size()));
    }
    for (const std::string& place : places.others) {
      std::printf("a key outside the key region: %s\n", place.c_str());
      ++outside;
    }
  }
  std::printf("%zu session keys, %zu of random generators, %zu copies outside the key region\n",
              sessions, generators, outside);
  return sessions < 2 || outside != 0 ? 1 : 0;
}

int run_erased(pid_t pid, const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  Bytes schedule(240);
  std::size_t there = 0, all = 0;
  while (in.read(reinterpret_cast<char*>(schedule.data()), 240)) {
    ++all;
    const Places places = find_in_memory(pid, ByteView(schedule).first(32));
    if (places.guarded + places.others.size() != 0) ++there;
  }
  std::printf("%zu of %zu keys are still in memory\n", there, all);
  return there == 0 && all != 0 ? 0 : 1;
}

// Connects as somebody else: 0 and the reason if that led to nothing.
int run_stranger(const std::string& path) {
  if (::setgroups(0, nullptr) != 0 || ::setresgid(65534, 65534, 65534) != 0 ||
      ::setresuid(65534, 65534, 65534) != 0)
    return 2;
  const auto socket = os::connect_unix(path, os::SocketKind::Seqpacket);
  if (!socket) {
    std::printf("refused: %s\n", socket.error().text().c_str());
    return 0;
  }
  pollfd watched{socket->raw(), POLLIN, 0};
  if (::poll(&watched, 1, 5000) != 1) {
    std::printf("connected, and not closed in five seconds\n");
    return 1;
  }
  const auto answer = os::receive_message(socket->raw(), 4096);
  std::printf("connected, then %s\n", answer ? "answered" : "closed");
  return answer ? 1 : 0;
}

}  // namespace
}  // namespace wattle::sealcheck

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  using namespace wattle::sealcheck;  // NOLINT
  std::signal(SIGPIPE, SIG_IGN);
  if (words.size() >= 5 && words[0] == "table") return run_table({words.begin() + 1, words.end()});
  if (words.size() == 3 && words[0] == "keys") return run_keys(std::stoi(words[1]), words[2]);
  if (words.size() == 3 && words[0] == "erased") return run_erased(std::stoi(words[1]), words[2]);
  if (words.size() == 2 && words[0] == "stranger") return run_stranger(words[1]);
  std::fprintf(stderr,
               "usage: sealcheck table NET OTHER FOLDER EXPECTED [DAEMON...]\n"
               "       sealcheck keys|erased PID FILE, sealcheck stranger SOCKET\n");
  return 2;
}
