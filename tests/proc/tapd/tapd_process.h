// The real wattle-tapd, as an unprivileged user with CAP_NET_ADMIN, in a network namespace of its
// own; this process is its supervisor and cryptod.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cerrno>
#include <csignal>
#include <map>

#include "common/ipc/tap_link.h"
#include "common/os/unix_socket.h"
#include "metad/ctl/up_notify.h"
#include "metad/ctl/up_spawn.h"
#include "tests/proc/support/world.h"

namespace wattle::test {

inline constexpr uid_t kUser = 65534;
inline constexpr ctl::DaemonPlan kPlan = {"wattle-tapd", "", "tap", true, false, true, false, {}};
inline constexpr const char* kMember =
    "name = alice\nmac = 02:11:22:33:44:55\nipv4 = 10.7.0.9/22\nipv6 = fd00:7::9/48\n";

inline bool readable(int fd, int limit_ms = 20'000) {
  pollfd watched{fd, POLLIN, 0};
  return ::poll(&watched, 1, limit_ms) == 1;
}

class TapdProcess : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (!enter_world(why)) GTEST_SKIP() << why;
    for (const char* folder : {"/etc/wattle", "/etc/wattle/t", "/run/wattle", "/run/wattle/t"})
      ::mkdir(folder, 0755);
    write_text("/etc/wattle/t/member.conf", kMember);
    write_text("/etc/wattle/t/wattle.conf", "mtu = 1400\nport = 18737\nconnect = 192.0.2.1\n");
    notify_ = ctl::open_notify_socket("/run/wattle/t/notify.tap", kUser).value();
    listen();
  }
  void TearDown() override {
    if (pid_ > 0) stop(SIGKILL);
  }

  void listen() {
    listener_ = os::listen_unix("/run/wattle/t/crypto.tap", os::SocketKind::Seqpacket, 0660, 0,
                                static_cast<int>(kUser))
                    .value();
  }

  // Starts tapd with what an earlier one has stored and, as the supervisor does, an open TUN
  // device.
  void start(bool pass_tun = true) {
    ctl::SpawnRequest request;
    request.plan = &kPlan;
    request.path = std::string(WATTLE_BIN_DIR) + "/wattle-tapd";
    request.network = "t";
    request.uid = kUser;
    request.gid = kUser;
    request.notify_path = "/run/wattle/t/notify.tap";
    request.watchdog_us = 300'000;
    for (const auto& [name, fd] : stored_) request.descriptors.emplace_back(name, fd.raw());
    const os::Fd tun(pass_tun ? ::open("/dev/net/tun", O_RDWR | O_CLOEXEC) : -1);
    if (tun.is_open()) request.descriptors.emplace_back("tun", tun.raw());
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const int own_stderr = ::dup(2);
    ::dup2(ends[1], 2);
    pid_ = ctl::spawn(request).value();
    ::dup2(own_stderr, 2);
    ::close(own_stderr);
    ::close(ends[1]);
    log_ = os::Fd(ends[0]);
  }

  // Reads notifications until READY.
  ::testing::AssertionResult await_ready() {
    while (readable(notify_.raw())) {
      auto notified = ctl::receive_notification(notify_.raw());
      if (!notified || notified->pid != pid_) continue;
      if (notified->what.store && notified->descriptors.size() == 1)
        stored_[notified->what.name] = std::move(notified->descriptors[0]);
      if (notified->what.ready) return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << "tapd is not ready: " << read_log();
  }

  std::string read_log() {
    std::string out;
    char buffer[1024];
    while (readable(log_.raw(), 50)) {
      const ssize_t size = ::read(log_.raw(), buffer, sizeof buffer);
      if (size <= 0) break;
      out.append(buffer, static_cast<std::size_t>(size));
    }
    return out;
  }

  int stop(int signal) {
    if (signal != 0) ::kill(pid_, signal);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

  // ---- the fake cryptod -------------------------------------------------------------------------

  ::testing::AssertionResult accept_lane() {
    if (!readable(listener_.raw())) return ::testing::AssertionFailure() << "nobody connects";
    lane_ = os::accept_unix(listener_.raw()).value();
    const Bytes hello =
        ipc::pack_hello(tap_link::ToTapd::fingerprint(), tap_link::ToCryptod::fingerprint());
    EXPECT_TRUE(os::send_message(lane_.raw(), hello));
    if (!readable(lane_.raw())) return ::testing::AssertionFailure() << "no hello";
    const auto theirs = os::receive_message(lane_.raw(), 64);
    if (!theirs || !ipc::hello_agrees(theirs->bytes, tap_link::ToTapd::fingerprint(),
                                      tap_link::ToCryptod::fingerprint()))
      return ::testing::AssertionFailure() << "hello does not agree";
    return ::testing::AssertionSuccess();
  }

  struct Incoming {
    tap_link::ToCryptod::Message message;
    std::vector<os::Fd> descriptors;
  };
  std::optional<Incoming> next_message(int limit_ms = 20'000) {
    if (!readable(lane_.raw(), limit_ms)) return std::nullopt;
    auto received = os::receive_message(lane_.raw(), ipc::kMaxMessage);
    if (!received) return std::nullopt;
    auto message = tap_link::ToCryptod::unpack(received->bytes);
    if (!message) return std::nullopt;
    return Incoming{std::move(message).value(), std::move(received->descriptors)};
  }

  // The whole snapshot up to its end.
  std::vector<Incoming> read_snapshot() {
    std::vector<Incoming> out;
    while (auto next = next_message()) {
      out.push_back(std::move(*next));
      if (std::holds_alternative<tap_link::DeviceEnd>(out.back().message)) break;
    }
    return out;
  }

  // The newest LocalAddresses within the limit that satisfies `wanted`.
  template <typename Wanted>
  bool await_addresses(Wanted&& wanted) {
    while (auto next = next_message()) {
      const auto* addresses = std::get_if<tap_link::LocalAddresses>(&next->message);
      if (addresses != nullptr && wanted(addresses->addresses)) return true;
    }
    return false;
  }

  pid_t pid_ = -1;
  os::Fd notify_, listener_, lane_, log_;
  std::map<std::string, os::Fd> stored_;
};

}  // namespace wattle::test
