#include <sys/syscall.h>
#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <cstdio>

#include "common/os/clock.h"
#include "common/os/file.h"
#include "metad/ctl/conf_template.h"
#include "metad/ctl/control_client.h"
#include "metad/ctl/join.h"
#include "metad/ctl/networks.h"
#include "metad/ctl/up.h"
#include "metad/ctl/up_lock.h"

namespace wattle::ctl {

namespace {

constexpr Duration kDeviceLimit = std::chrono::seconds(15);
constexpr Duration kLinkLimit = std::chrono::seconds(3);  // metad "has at least tried"
constexpr useconds_t kPollPause = 50000;

// A supervisor that runs already (on the registry's host) is told to look again.
Outcome start_daemons(const std::string& network, const os::Paths& paths) {
  if (!os::exists("/run/systemd/system")) {
    if (const auto holder = os::find_holder(paths.run + "/lock")) {
      if (syscall(SYS_pidfd_send_signal, holder->process.raw(), SIGHUP, nullptr, 0) == 0) return {};
    }
  }
  const int done = run_up_afresh(network);
  if (done == 0) return {};
  std::fprintf(stderr,
               "wattle: this host is a member now, but its daemons did not start; try again: sudo "
               "wattle up %s\n",
               network.c_str());
  return Failure{static_cast<Exit>(done), {}};
}

struct Look {
  StatusReply status;
  std::vector<PeerReply> peers;
};

bool look_once(const std::string& network, const os::Paths& paths, Look& out) {
  ControlClient client;
  return ControlClient::connect(network, paths, client).ok() &&
         ask_status(client, out.status).ok() && ask_peers(client, out.peers).ok();
}

bool all_up(const StatusReply& status) {
  return !status.processes.empty() &&
         std::all_of(status.processes.begin(), status.processes.end(),
                     [](const ProcessState& process) { return process.up; });
}

// True if members were told to metad at join, so that waiting for a link makes sense.
bool expects_peers(const os::Paths& paths) {
  const auto text = os::read_text(paths.state + "/meta/peers");
  return text && !text->empty();
}

bool wait_until_up(const std::string& network, const os::Paths& paths, Look& look) {
  const Instant begin = os::now();
  Instant up_since = kNever;
  for (; os::now() - begin < kDeviceLimit; usleep(kPollPause)) {
    Look now;
    if (!look_once(network, paths, now)) continue;
    look = std::move(now);
    if (!all_up(look.status)) continue;
    if (up_since == kNever) up_since = os::now();
    const bool linked = std::any_of(look.peers.begin(), look.peers.end(),
                                    [](const PeerReply& peer) { return peer.link; });
    if (linked || !expects_peers(paths) || os::now() - up_since > kLinkLimit) return true;
  }
  return false;
}

void print_member(const std::string& network, const os::Paths& paths, const Look& look) {
  MemberConf member;
  if (!read_member(network, paths, member).ok()) return;
  const auto conf = os::read_text(paths.config());
  const auto port = conf ? port_of_conf(*conf) : std::nullopt;
  std::printf("  IPv4    %s\n  IPv6    %s\n  device  %s\n  port    %u (UDP and TCP)\n",
              member.ipv4.text().c_str(), member.ipv6.text().c_str(),
              device_of(network, paths).c_str(), static_cast<unsigned>(port.value_or(8737)));
  std::string first;
  for (std::size_t i = 0; i < std::min<std::size_t>(look.peers.size(), 5); ++i) {
    const PeerReply& peer = look.peers[i];
    std::printf("  %s  %s%s%s%s\n", i == 0 ? "members" : "       ", peer.name.c_str(),
                peer.ipv4.empty() ? "" : " ", peer.ipv4.c_str(),
                peer.link ? ", linked" : ", not reached yet");
    if (first.empty() || (peer.link && i > 0 && !look.peers[0].link)) first = peer.name;
  }
  const std::string ping = first.empty() ? "" : "wattle ping " + first + ", ";
  std::printf("Next: %swattle status, wattle peers\n", ping.c_str());
}

}  // namespace

Outcome start_member(const std::string& network, const os::Paths& paths) {
  if (const Outcome started = start_daemons(network, paths); !started.ok()) return started;
  Look look;
  const bool up = wait_until_up(network, paths, look);
  print_member(network, paths, look);
  if (up) return {};
  return Failure{
      Exit::NotRunning,
      "this host is a member now, but its daemons are not all up yet: see wattle status " +
          network};
}

}  // namespace wattle::ctl
