// wattle-tapd: makes the network's TAP device and UDP sockets, hands them to cryptod, keeps
// duplicates and watches this host's addresses. See wattle-tapd(8) and wattle-privsep(7).
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <algorithm>
#include <cstdio>

#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/os/log.h"
#include "common/os/paths.h"
#include "common/os/service.h"
#include "tapd/crypto_lane.h"
#include "tapd/device.h"
#include "tapd/netlink.h"
#include "tapd/policy.h"
#include "tapd/settings.h"
#include "tapd/udp.h"

namespace wattle::tapd {
namespace {

constexpr int kExitConfig = 78;
constexpr Duration kSettle = std::chrono::milliseconds(150);  // changes of addresses come in bursts
constexpr std::uint8_t kFamilies[] = {4, 6};

struct Opened {
  os::Fd tap;
  std::uint32_t index = 0;
  std::vector<Snapshot::Udp> udp;
  std::vector<os::Fd> sockets;  // what udp points to
  os::Fd signals;
};

Result<Settings> load_settings(const CommandLine& command) {
  const os::Paths paths(command.network);
  const std::string config_file = command.config.empty() ? paths.config() : command.config;
  const std::string member_file = command.member.empty() ? paths.member() : command.member;
  auto config = os::read_text(config_file);
  if (!config && (config.error().code != Errc::NotFound || !command.config.empty()))
    return Error(Errc::Config, config.error().text());
  const auto member = os::read_text(member_file);
  if (!member)
    return Error(Errc::Config, member.error().text() + "; has this host joined the network " +
                                   command.network + "?");
  return make_settings(command, config ? config.value() : std::string(), config_file,
                       member.value(), member_file);
}

// The stored TAP of the last run if it is still ours, else a new one; stored at once.
Result<os::Fd> obtain_tap(os::Service& service, const std::string& name) {
  for (os::Fd& stored : service.take_all("tap0"))
    if (is_our_tap(stored, name)) return std::move(stored);
  auto passed = service.take("tun");
  os::Fd tun = passed ? std::move(passed).value() : WATTLE_TRY(open_tun());
  WATTLE_TRY(attach_tap(tun, name));
  service.store("tap0", tun.raw());
  return tun;
}

Result<void> obtain_udp(os::Service& service, std::uint16_t port, Opened& out) {
  for (const std::uint8_t family : kFamilies) {
    const std::string name = "udp" + std::to_string(family);
    os::Fd socket;
    for (os::Fd& stored : service.take_all(name))
      if (!socket.is_open() && is_our_udp(stored, family, port)) socket = std::move(stored);
    if (!socket.is_open()) {
      auto made = open_udp(family, port);
      if (!made && made.error().code == Errc::Unsupported) {
        os::log::notice(made.error().text());
        continue;
      }
      socket = WATTLE_TRY(std::move(made));
      service.store(name, socket.raw());
    }
    out.udp.push_back({{family, port}, socket.raw()});
    out.sockets.push_back(std::move(socket));
  }
  if (out.sockets.empty()) return Error(Errc::Config, "this host has neither IPv4 nor IPv6");
  return {};
}

Result<os::Fd> open_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  if (sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return os::system_error("cannot block signals");
  os::Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.is_open()) return os::system_error("cannot open a signal descriptor");
  return fd;
}

Result<Opened> open_everything(os::Service& service, Netlink& netlink, const Settings& settings) {
  Opened out;
  out.signals = WATTLE_TRY(open_signals());
  WATTLE_TRY(obtain_udp(service, settings.port, out));  // a taken port leaves no device behind
  out.tap = WATTLE_TRY(obtain_tap(service, settings.device));
  out.index = WATTLE_TRY(device_index(out.tap));
  Netlink::DeviceState state{out.index, settings.mac, settings.mtu, {}};
  if (settings.ipv4) state.addresses.push_back(*settings.ipv4);
  if (settings.ipv6) state.addresses.push_back(*settings.ipv6);
  if (settings.mtu < kMinIpv6Mtu)
    os::log::warning("an mtu below 1280 leaves the device without IPv6");
  WATTLE_TRY(netlink.configure(state));
  return out;
}

int poll_timeout(Instant now, Instant deadline) {
  if (deadline == kNever) return -1;
  if (deadline <= now) return 0;
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(deadline - now).count();
  return static_cast<int>(std::min<std::int64_t>(ms, 60'000));
}

// Until SIGTERM (0) or until the device is gone (1: whoever started us starts us again).
int run(os::Service& service, Netlink& netlink, CryptoLane& lane, const Opened& opened) {
  const Duration ping = std::chrono::microseconds(service.watchdog_us() / 3);
  Instant next_ping = service.watchdog_us() != 0 ? os::now() : kNever;
  Instant look_at = os::now();  // when to read the addresses
  for (;;) {
    const Instant now = os::now();
    if (now >= next_ping) {
      service.watchdog();
      next_ping = now + ping;
    }
    if (now >= look_at) {
      look_at = kNever;
      if (auto addresses = netlink.local_addresses(opened.index)) {
        lane.set_addresses(std::move(addresses).value());
      } else {
        os::log::warning("cannot read this host's addresses; trying again in a second",
                         {{os::log::Key::Err, addresses.error().text()}});
        look_at = now + std::chrono::seconds(1);
      }
    }
    lane.service(now);
    pollfd watched[] = {{opened.signals.raw(), POLLIN, 0},
                        {netlink.watch(), POLLIN, 0},
                        {lane.fd(), lane.events(), 0}};
    const Instant deadline = std::min({next_ping, look_at, lane.deadline()});
    if (::poll(watched, std::size(watched), poll_timeout(now, deadline)) < 0) continue;  // EINTR
    if (watched[0].revents != 0) return 0;
    if (watched[1].revents == 0) continue;
    const Netlink::Changes changes = netlink.read_changes(opened.index);
    if (changes.device_gone) {
      os::log::error("the network card was removed; making it again");
      return 1;
    }
    if (changes.any) look_at = std::min(look_at, os::now() + kSettle);
  }
}

int fail(const Error& error) {
  os::log::error(error.text());
  return error.code == Errc::Unsupported ? kExitConfig : os::exit_code(error);
}

int start(const CommandLine& command) {
  const auto settings = load_settings(command);
  if (!settings) return fail(settings.error());
  if (command.action == CommandLine::Action::Check) return std::puts("wattle-tapd: all right") < 0;
  os::log::set_level(settings->log_level);
  auto service = os::Service::open(os::Paths(command.network).run);
  if (!service) return fail(service.error());
  auto netlink = Netlink::open();
  if (!netlink) return fail(netlink.error());
  auto opened = open_everything(*service, *netlink, *settings);
  if (!opened) return fail(opened.error());
  if (const auto sealed = os::enter(kPolicy); !sealed) return fail(sealed.error());

  Snapshot snapshot{
      {settings->device, settings->mtu, settings->mac}, opened->tap.raw(), opened->udp};
  const std::string path = command.crypto_socket.empty()
                               ? os::Paths(command.network).run + "/crypto.tap"
                               : command.crypto_socket;
  CryptoLane lane(path, std::move(snapshot));
  service->status("device " + settings->device + ", UDP port " + std::to_string(settings->port));
  service->ready();
  os::log::info("ready", {{os::log::Key::Dev, settings->device}});
  return run(*service, *netlink, lane, *opened);
}

}  // namespace
}  // namespace wattle::tapd

int main(int argc, char** argv) {
  using namespace wattle;
  os::log::open("tapd");
  const auto command = tapd::parse_command_line({argv + 1, argv + argc});
  if (!command) return tapd::fail(command.error());
  if (command.value().action == tapd::CommandLine::Action::Help) {
    std::fputs(tapd::help_text().c_str(), stdout);
    return 0;
  }
  if (command.value().action == tapd::CommandLine::Action::Version) {
    std::puts("wattle-tapd " WATTLE_VERSION);
    return 0;
  }
  return tapd::start(command.value());
}
