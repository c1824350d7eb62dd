#include "metad/ctl/log_verb.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <csignal>

#include "common/os/fd.h"
#include "common/os/file.h"
#include "common/os/paths.h"
#include "metad/ctl/networks.h"
#include "metad/ctl/render_json.h"
#include "metad/ctl/target.h"
#include "metad/ctl/up_children.h"
#include "metad/ctl/up_plan.h"
#include "metad/ctl/up_systemd.h"

namespace wattle::ctl {

namespace {

constexpr useconds_t kLook = 200000;  // following: how often for something new
constexpr std::size_t kPiece = 65536;

Failure not_running(const std::string& network) {
  return {Exit::NotRunning,
          "the daemons of " + network + " are not running: sudo wattle up " + network};
}

// ---- PROCESS LEVEL

Outcome set_by_systemd(const std::string& network, const std::string& process, int signal,
                       std::vector<std::string>& reached) {
  for (const DaemonPlan& plan : all_daemons()) {
    const std::string program(plan.program);
    if (process != "all" && program != "wattle-" + process) continue;
    const std::string unit = program + "@" + network + ".service";
    const auto active = run_program({"systemctl", "is-active", "--quiet", unit});
    if (!active) return general(active.error());
    if (*active != 0) continue;
    const auto sent =
        run_program({"systemctl", "kill", "--kill-whom=main",
                     signal == SIGUSR1 ? "--signal=SIGUSR1" : "--signal=SIGUSR2", unit});
    if (!sent) return general(sent.error());
    if (*sent != 0) return Failure{Exit::General, "systemctl kill " + unit + " failed"};
    reached.push_back(program.substr(7));
  }
  return {};
}

Outcome set_by_pid(const std::string& network, const os::Paths& paths, const std::string& process,
                   int signal, std::vector<std::string>& reached) {
  const auto children = find_children(paths.run + "/lock");
  if (!children && children.error().code == Errc::NotFound) return not_running(network);
  if (!children) return general(children.error());
  for (const Child& child : *children) {
    if (process != "all" && child.program != "wattle-" + process) continue;
    const auto sent = send_signal(child, signal);
    if (!sent && sent.error().code == Errc::Denied)
      return Failure{Exit::NotRoot, "only root may change what a daemon says: use sudo"};
    if (!sent) return general(sent.error());
    reached.push_back(child.program.substr(7));
  }
  return {};
}

Outcome set_level(const Arguments& arguments, const std::string& network, const os::Paths& paths) {
  if (geteuid() != 0)
    return Failure{Exit::NotRoot, "only root may change what a daemon says: use sudo"};
  const int signal = arguments.second == "debug" ? SIGUSR1 : SIGUSR2;
  LevelView view{network, arguments.second, {}};
  const bool own = find_children(paths.run + "/lock").has_value();
  const Outcome set = systemd_runs() && !own
                          ? set_by_systemd(network, arguments.first, signal, view.processes)
                          : set_by_pid(network, paths, arguments.first, signal, view.processes);
  if (!set.ok()) return set;
  if (view.processes.empty())
    return Failure{Exit::NotRunning,
                   "wattle-" + arguments.first + " of " + network + " does not run on this host"};
  if (arguments.json) {
    print_out(json_level(view));
    return {};
  }
  for (const std::string& process : view.processes)
    print_out("wattle-" + process + " of " + network +
              (signal == SIGUSR1 ? ": debug" : ": the configured level again") + "\n");
  return {};
}

// ---- what they say

int run_journal(const Arguments& arguments, const std::string& network) {
  std::vector<std::string> words = {"journalctl", "--no-pager", "--lines",
                                    std::to_string(arguments.lines)};
  for (const DaemonPlan& plan : all_daemons()) {
    words.emplace_back("--unit");
    words.push_back(std::string(plan.program) + "@" + network + ".service");
  }
  if (arguments.follow) words.emplace_back("--follow");
  words.emplace_back("--output");
  words.emplace_back(arguments.json ? "json" : "short");
  const auto code = run_program(words);
  return code ? *code : -1;
}

void show(const std::string& lines, bool json) {
  if (!json) return print_out(lines);
  for (std::size_t at = 0; at < lines.size();) {
    const std::size_t end = std::min(lines.find('\n', at), lines.size());
    print_out(json_log_line(lines.substr(at, end - at)));
    at = end + 1;
  }
}

// The file's text from `from` on, whole lines only; `from` moves behind them.
std::string read_lines(int fd, off_t& from) {
  std::string out;
  for (;;) {
    std::string piece(kPiece, '\0');
    const ssize_t got =
        ::pread(fd, piece.data(), piece.size(), from + static_cast<off_t>(out.size()));
    if (got <= 0) break;
    out.append(piece, 0, static_cast<std::size_t>(got));
  }
  out.resize(out.find_last_of('\n') + 1);
  from += static_cast<off_t>(out.size());
  return out;
}

std::string last_lines(const std::string& text, std::uint32_t count) {
  std::size_t at = text.size();
  for (std::uint32_t i = 0; i < count && at > 0; ++i) {
    const std::size_t before = at < 2 ? std::string::npos : text.rfind('\n', at - 2);
    at = before == std::string::npos ? 0 : before + 1;
  }
  return text.substr(at);
}

Outcome show_file(const Arguments& arguments, const std::string& network, const std::string& path) {
  const os::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.is_open() && errno == EACCES)
    return Failure{Exit::Denied, "you may not read " + path +
                                     ": use sudo, or join the group "
                                     "wattle"};
  if (!fd.is_open())
    return Failure{Exit::NotRunning, "there is no log of " + network +
                                         ": its daemons were not started by wattle up, or in a "
                                         "terminal with --foreground"};
  off_t at = 0;
  show(last_lines(read_lines(fd.raw(), at), arguments.lines), arguments.json);
  while (arguments.follow) {
    usleep(kLook);
    // The supervisor empties the file when it grows too large.
    struct stat info {};
    if (::fstat(fd.raw(), &info) == 0 && info.st_size < at) at = 0;
    show(read_lines(fd.raw(), at), arguments.json);
  }
  return {};
}

}  // namespace

Outcome run_log(const Arguments& arguments) {
  const bool setting = !arguments.second.empty();
  std::string network, asked = setting ? arguments.third : arguments.first;
  // A registry's host has daemons, too, also if it is no member.
  if (asked.empty() && joined_networks().empty() && configured_networks().size() == 1)
    asked = configured_networks().front();
  const Outcome chosen = choose_network(asked, network);
  if (!chosen.ok()) return chosen;
  const os::Paths paths(network);
  if (setting) return set_level(arguments, network, paths);
  const std::string file = paths.run + "/log";
  if (!systemd_runs() || os::exists(file)) return show_file(arguments, network, file);
  const int code = run_journal(arguments, network);
  if (code == 0) return {};
  return Failure{Exit::General, "journalctl failed: see wattle(8)"};
}

}  // namespace wattle::ctl
