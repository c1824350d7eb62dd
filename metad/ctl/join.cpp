#include "metad/ctl/join.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <thread>

#include "common/crypto/init.h"
#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/os/random.h"
#include "common/proto/genesis.h"
#include "metad/ctl/helper_process.h"
#include "metad/ctl/join_install.h"
#include "metad/ctl/join_patience.h"
#include "metad/ctl/join_verdict.h"
#include "metad/ctl/networks.h"
#include "metad/ctl/pending_store.h"
#include "metad/ctl/ports.h"

namespace wattle::ctl {

namespace {

const Helper kFetch{"wattle-fetch", true, std::chrono::seconds(45)};
const Helper kCheck{"wattle-check", false, std::chrono::seconds(20)};

// From here to the end of its life the process cannot be interrupted by Ctrl-C and the like.
class SignalsHeld {
 public:
  SignalsHeld() {
    sigset_t held;
    sigemptyset(&held);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP}) sigaddset(&held, signal);
    sigprocmask(SIG_BLOCK, &held, &before_);
  }
  ~SignalsHeld() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_{};
};

Outcome check_not_joined(const Invite& invite, const os::Paths& paths) {
  if (os::exists(paths.member())) {
    MemberConf member;
    const bool known = read_member(invite.network, paths, member).ok();
    return Failure{Exit::JoinedAlready, "this host is in network " + invite.network + " already" +
                                            (known ? ", as " + member.name : "") +
                                            "; to join anew: sudo wattle leave " + invite.network};
  }
  if (!os::exists(paths.registry_config())) return {};
  const auto genesis = os::read_text(paths.genesis());
  if (genesis && genesis_hash(*genesis) != invite.genesis)
    return Failure{Exit::JoinedAlready, "this host runs the registry of another network named " +
                                            invite.network +
                                            ": two of one name cannot be told apart"};
  return {};
}

// Really makes a device, gone with the descriptor: containers often have the file but not the
// right.
Outcome check_tun() {
  const os::Fd tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  ifreq request{};
  std::strcpy(request.ifr_name, "wt-try%d");
  request.ifr_flags = IFF_TAP | IFF_NO_PI;
  if (tun.is_open() && ioctl(tun.raw(), TUNSETIFF, &request) == 0) return {};
  const bool there = tun.is_open();
  return Failure{Exit::NoTun, os::system_error(there ? "/dev/net/tun makes no network device"
                                                     : "/dev/net/tun cannot be opened")
                                      .text() +
                                  ": load the module (modprobe tun), or let this container have "
                                  "the device and CAP_NET_ADMIN"};
}

Outcome choose_port(const Arguments& arguments, const std::string& network, std::uint16_t& out) {
  if (arguments.port) {
    out = *arguments.port;
    if (is_port_free(out)) return {};
    return Failure{Exit::General, "port " + std::to_string(out) +
                                      " is in use on this host: choose another, or none"};
  }
  out = find_free_port(claimed_ports(network));
  return out != 0 ? Outcome() : Outcome(Failure{Exit::General, "no port from 8737 on is free"});
}

Outcome open_pending(PendingStore& store, const Invite& invite, const std::string& url,
                     std::optional<Pending>& out) {
  out = store.load();
  switch (choose_pending(out, invite)) {
    case PendingChoice::Resume:
      std::puts("Resuming the join that was begun before, with the same key.");
      if (out->url == url) return {};
      // The same invite by another of the registry's addresses.
      out->url = url;
      out->invite = invite;
      return store.save(*out);
    case PendingChoice::Replace:
      std::puts("A join with another invite was begun before; it is dropped for this one.");
      break;
    case PendingChoice::Fresh:
      break;
  }
  os::SystemRandom random;
  auto made = make_pending(url, random);
  if (!made) return general(made.error());
  out = std::move(*made);
  return store.save(*out);
}

JoinVerdict helper_failed(const Error& error) {
  const Exit exit = error.code == Errc::Timeout ? Exit::Timeout : Exit::General;
  return {{exit, error.text()}, false};
}

// Both helpers, one after the other.
JoinVerdict ask_registry(const Pending& pending, std::string& genesis, CheckAnswer& answer) {
  const Invite& invite = pending.invite;
  const FetchRequest request{invite.base, invite.network, invite.genesis, request_of(pending)};
  const auto fetched_body = run_helper(kFetch, build_fetch_request(request));
  if (!fetched_body) return helper_failed(fetched_body.error());
  auto fetched = parse_fetch_answer(*fetched_body);
  if (!fetched)
    return helper_failed(Error(Errc::Closed, "wattle-fetch gave an answer without sense"));
  const UnixTime now = os::unix_now();
  if (JoinVerdict verdict = judge_fetch(*fetched, invite.base, invite.network, now);
      verdict.failure.exit != Exit::Ok)
    return verdict;

  CheckRequest check;
  check.network = invite.network;
  check.genesis = invite.genesis;
  check.address = claim_of(pending).address;
  check.csr = pending.csr;
  check.now = now;
  check.genesis_text = fetched->genesis;
  check.status = fetched->status;
  check.body = std::move(fetched->body);
  const auto checked_body = run_helper(kCheck, build_check_request(check));
  if (!checked_body) return helper_failed(checked_body.error());
  auto checked = parse_check_answer(*checked_body);
  if (!checked)
    return helper_failed(Error(Errc::Closed, "wattle-check gave an answer without sense"));
  answer = std::move(*checked);
  genesis = std::move(fetched->genesis);
  return judge_check(answer, invite.network, now);
}

// Until the registry lets this host in or refuses it.
JoinVerdict ask_until_answered(const Arguments& arguments, const Pending& pending,
                               const PendingStore& store, std::string& genesis,
                               CheckAnswer& answer) {
  JoinPatience patience(store.has_waited(), claim_of(pending).address.text());
  const Instant begin = os::now();
  for (;;) {
    JoinVerdict verdict = ask_registry(pending, genesis, answer);
    const JoinPatience::Step step = patience.after(verdict, os::now() - begin);
    if (verdict.failure.exit == Exit::NotJoined) store.note_waiting();
    if (!step.again || arguments.no_wait) return verdict;
    if (!step.say.empty()) {
      std::printf("%s\n", step.say.c_str());
      std::fflush(stdout);
    }
    std::this_thread::sleep_for(step.pause);
  }
}

Outcome become_member(const Arguments& arguments, const Invite& invite, const os::Paths& paths) {
  std::uint16_t port = 0;
  if (const Outcome chosen = choose_port(arguments, invite.network, port); !chosen.ok())
    return chosen;
  PendingStore store(paths);
  if (const Outcome opened = store.open(); !opened.ok()) return opened;
  std::optional<Pending> pending;
  if (const Outcome made = open_pending(store, invite, arguments.first, pending); !made.ok())
    return made;

  // Only for somebody who watches: a failed join is one sentence.
  if (isatty(STDOUT_FILENO) != 0) {
    std::printf("Asking the registry at %s …\n", invite.base.c_str());
    std::fflush(stdout);
  }
  std::string genesis;
  CheckAnswer answer;
  const JoinVerdict verdict = ask_until_answered(arguments, *pending, store, genesis, answer);
  if (verdict.failure.exit != Exit::Ok) {
    if (verdict.definite) store.remove();
    return verdict.failure;
  }
  // Also after a long wait.
  if (const Outcome chosen = choose_port(arguments, invite.network, port); !chosen.ok())
    return chosen;
  const SignalsHeld held;
  const Installation what{invite.network, genesis, *pending, answer, port, arguments.device};
  if (const Outcome installed = install_member(what, paths); !installed.ok()) return installed;
  store.remove();
  std::printf("Joined %s as %s.\n", invite.network.c_str(), answer.name.c_str());
  std::fflush(stdout);
  return {};
}

}  // namespace

Outcome run_join(const Arguments& arguments) {
  const auto invite = parse_invite(arguments.first);
  if (!invite) return Failure{Exit::Usage, invite.error().text()};
  if (geteuid() != 0)
    return Failure{Exit::NotRoot, "joining makes users and settings on this host: use sudo"};
  const os::Paths paths(invite->network);
  if (const Outcome fresh = check_not_joined(*invite, paths); !fresh.ok()) return fresh;
  if (const Outcome tun = check_tun(); !tun.ok()) return tun;
  crypto::init();
  if (const Outcome done = become_member(arguments, *invite, paths); !done.ok()) return done;
  return start_member(invite->network, paths);
}

}  // namespace wattle::ctl
