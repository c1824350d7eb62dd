// The real wattle-tapd, as an unprivileged user with CAP_NET_ADMIN, in a network namespace of its
// own, against a fake cryptod.
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

namespace wattle {
namespace {

using test::run_shell;
using test::wait_until;

constexpr uid_t kUser = 65534;
constexpr ctl::DaemonPlan kPlan = {"wattle-tapd", "", "tap", true, false, true, {}};
constexpr const char* kMember =
    "name = alice\nmac = 02:11:22:33:44:55\nipv4 = 10.7.0.9/22\nipv6 = fd00:7::9/48\n";

bool readable(int fd, int limit_ms = 20'000) {
  pollfd watched{fd, POLLIN, 0};
  return ::poll(&watched, 1, limit_ms) == 1;
}

class TapdProcess : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (!test::enter_world(why)) GTEST_SKIP() << why;
    for (const char* folder : {"/etc/wattle", "/etc/wattle/t", "/run/wattle", "/run/wattle/t"})
      ::mkdir(folder, 0755);
    test::write_text("/etc/wattle/t/member.conf", kMember);
    test::write_text("/etc/wattle/t/wattle.conf",
                     "mtu = 1400\nport = 18737\nconnect = 192.0.2.1\n");
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

TEST_F(TapdProcess, MakesTheDeviceAsConfigured) {
  start();
  ASSERT_TRUE(await_ready());
  const std::string link = run_shell("ip -d link show dev wt-t");
  EXPECT_NE(link.find("02:11:22:33:44:55"), std::string::npos) << link;
  EXPECT_NE(link.find("mtu 1400"), std::string::npos) << link;
  EXPECT_NE(link.find("addrgenmode none"), std::string::npos) << link;
  EXPECT_NE(link.find("persist off"), std::string::npos) << link;
  EXPECT_NE(link.find(",UP"), std::string::npos) << link;
  const std::string addresses = run_shell("ip -o addr show dev wt-t");
  EXPECT_NE(addresses.find("10.7.0.9/22 brd 10.7.3.255 scope global"), std::string::npos)
      << addresses;
  EXPECT_NE(addresses.find("fd00:7::9/48 scope global nodad"), std::string::npos) << addresses;
  EXPECT_NE(addresses.find("fe80::11:22ff:fe33:4455/64 scope link nodad"), std::string::npos)
      << addresses;
  EXPECT_EQ(addresses.find("tentative"), std::string::npos) << addresses;
  // Three lines: nothing that nobody asked for.
  EXPECT_EQ(std::count(addresses.begin(), addresses.end(), '\n'), 3) << addresses;
}

TEST_F(TapdProcess, IsSealedAndHoldsNoCapability) {
  start();
  ASSERT_TRUE(await_ready());
  EXPECT_EQ(test::status_of(pid_, "Uid").substr(0, 5), "65534");
  EXPECT_EQ(test::status_of(pid_, "Groups"), "");
  EXPECT_EQ(test::status_of(pid_, "CapEff"), "0000000000000000");
  EXPECT_EQ(test::status_of(pid_, "CapPrm"), "0000000000000000");
  EXPECT_EQ(test::status_of(pid_, "CapAmb"), "0000000000000000");
  EXPECT_EQ(test::status_of(pid_, "NoNewPrivs"), "1");
  EXPECT_EQ(test::status_of(pid_, "Seccomp"), "2");
}

TEST_F(TapdProcess, HandsOverDeviceAndSockets) {
  start();
  ASSERT_TRUE(await_ready());
  ASSERT_TRUE(accept_lane());
  const auto snapshot = read_snapshot();
  ASSERT_EQ(snapshot.size(), 5u);
  const auto* device = std::get_if<tap_link::Device>(&snapshot[0].message);
  ASSERT_NE(device, nullptr);
  EXPECT_EQ(device->name, "wt-t");
  EXPECT_EQ(device->mtu, 1400);
  EXPECT_EQ(device->mac.text(), "02:11:22:33:44:55");
  ASSERT_EQ(snapshot[0].descriptors.size(), 1u);
  ifreq request{};
  ASSERT_EQ(::ioctl(snapshot[0].descriptors[0].raw(), TUNGETIFF, &request), 0);
  EXPECT_STREQ(request.ifr_name, "wt-t");
  EXPECT_EQ(request.ifr_flags & (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_PERSIST),
            IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
  int header = 0;
  ASSERT_EQ(::ioctl(snapshot[0].descriptors[0].raw(), TUNGETVNETHDRSZ, &header), 0);
  EXPECT_EQ(header, 10);

  for (const std::size_t i : {1u, 2u}) {
    const auto* udp = std::get_if<tap_link::UdpSocket>(&snapshot[i].message);
    ASSERT_NE(udp, nullptr);
    EXPECT_EQ(udp->family, i == 1 ? 4 : 6);
    EXPECT_EQ(udp->port, 18737);
    ASSERT_EQ(snapshot[i].descriptors.size(), 1u);
    const int fd = snapshot[i].descriptors[0].raw();
    const auto option = [fd](int level, int name) {
      int value = -1;
      socklen_t size = sizeof value;
      ::getsockopt(fd, level, name, &value, &size);
      return value;
    };
    EXPECT_EQ(option(SOL_SOCKET, SO_MARK), 0x7761);
    EXPECT_EQ(option(SOL_SOCKET, SO_RCVBUF), 16 * 1024 * 1024);  // the kernel says the double
    EXPECT_EQ(option(SOL_SOCKET, SO_SNDBUF), 16 * 1024 * 1024);
    EXPECT_EQ(option(IPPROTO_UDP, UDP_GRO), 1);
    if (i == 1) {
      EXPECT_EQ(option(IPPROTO_IP, IP_PKTINFO), 1);
      EXPECT_EQ(option(IPPROTO_IP, IP_MTU_DISCOVER), IP_PMTUDISC_PROBE);
    } else {
      EXPECT_EQ(option(IPPROTO_IPV6, IPV6_V6ONLY), 1);
      EXPECT_EQ(option(IPPROTO_IPV6, IPV6_RECVPKTINFO), 1);
      EXPECT_EQ(option(IPPROTO_IPV6, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_PROBE);
    }
    EXPECT_NE(::fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  }
  EXPECT_TRUE(std::holds_alternative<tap_link::LocalAddresses>(snapshot[3].message));
  EXPECT_TRUE(std::holds_alternative<tap_link::DeviceEnd>(snapshot[4].message));
}

TEST_F(TapdProcess, RestartWithStoredDescriptorsKeepsTheDevice) {
  start();
  ASSERT_TRUE(await_ready());
  const unsigned index = ::if_nametoindex("wt-t");
  ASSERT_NE(index, 0u);
  ASSERT_EQ(stored_.size(), 3u);
  stop(SIGKILL);
  EXPECT_EQ(::if_nametoindex("wt-t"), index);
  lane_.close();
  listener_.close();
  listen();
  start();
  ASSERT_TRUE(await_ready());
  EXPECT_EQ(::if_nametoindex("wt-t"), index);
  ASSERT_TRUE(accept_lane());
  EXPECT_EQ(read_snapshot().size(), 5u);
}

TEST_F(TapdProcess, TheRestartTakesChangedAddressesOnly) {
  start();
  ASSERT_TRUE(await_ready());
  run_shell("ip addr add 10.99.0.1/24 dev wt-t");
  stop(SIGKILL);
  test::write_text("/etc/wattle/t/member.conf",
                   "mac = 02:11:22:33:44:66\nipv4 = 10.7.0.10/22\nipv6 = fd00:7::9/48\n");
  start();
  ASSERT_TRUE(await_ready());
  const std::string addresses = run_shell("ip -o addr show dev wt-t");
  EXPECT_NE(addresses.find("10.7.0.10/22"), std::string::npos) << addresses;
  EXPECT_EQ(addresses.find("10.7.0.9/22"), std::string::npos) << addresses;
  EXPECT_NE(addresses.find("fe80::11:22ff:fe33:4466/64"), std::string::npos) << addresses;
  EXPECT_EQ(addresses.find("fe80::11:22ff:fe33:4455/64"), std::string::npos) << addresses;
  EXPECT_NE(addresses.find("10.99.0.1/24"), std::string::npos) << addresses;  // the administrator's
}

TEST_F(TapdProcess, TheDeviceEndsWithItsDescriptors) {
  start();
  ASSERT_TRUE(await_ready());
  ASSERT_NE(::if_nametoindex("wt-t"), 0u);
  stored_.clear();
  stop(SIGKILL);
  EXPECT_TRUE(wait_until([] { return ::if_nametoindex("wt-t") == 0; }));
}

TEST_F(TapdProcess, TellsNewAddresses) {
  start();
  ASSERT_TRUE(await_ready());
  ASSERT_TRUE(accept_lane());
  read_snapshot();
  run_shell(
      "ip link add v0 type veth peer name v1; ip addr add 192.0.2.5/24 dev v0;"
      "ip link set v0 up; ip link set v1 up");
  const IpAddress wanted = IpAddress::parse("192.0.2.5").value();
  const auto has = [&](const std::vector<IpAddress>& addresses) {
    return std::find(addresses.begin(), addresses.end(), wanted) != addresses.end();
  };
  EXPECT_TRUE(await_addresses(has));
  run_shell("ip addr del 192.0.2.5/24 dev v0");
  EXPECT_TRUE(await_addresses([&](const auto& addresses) { return !has(addresses); }));
}

TEST_F(TapdProcess, ComesBackToANewCryptod) {
  start();
  ASSERT_TRUE(await_ready());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(accept_lane()) << i;
    EXPECT_EQ(read_snapshot().size(), 5u);
    lane_.close();
  }
}

TEST_F(TapdProcess, RepeatsWhenAskedAndLeavesAtNonsense) {
  start();
  ASSERT_TRUE(await_ready());
  ASSERT_TRUE(accept_lane());
  read_snapshot();
  ASSERT_TRUE(os::send_message(lane_.raw(), tap_link::ToTapd::pack(tap_link::SendAgain{})));
  EXPECT_EQ(read_snapshot().size(), 5u);
  ASSERT_TRUE(os::send_message(lane_.raw(), Bytes{0x77, 1, 2}));
  EXPECT_FALSE(next_message());  // closed
  ASSERT_TRUE(accept_lane());    // and tried again, by the same process
  EXPECT_EQ(read_snapshot().size(), 5u);
  EXPECT_EQ(::kill(pid_, 0), 0);
}

TEST_F(TapdProcess, PingsTheWatchdog) {
  start();
  ASSERT_TRUE(await_ready());
  int pings = 0;
  while (pings < 3 && readable(notify_.raw())) {
    const auto notified = ctl::receive_notification(notify_.raw());
    if (notified && notified->what.watchdog) ++pings;
  }
  EXPECT_EQ(pings, 3);
}

TEST_F(TapdProcess, StopsAtSigterm) {
  start();
  ASSERT_TRUE(await_ready());
  const auto before = std::chrono::steady_clock::now();
  const int status = stop(SIGTERM);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(2));
}

TEST_F(TapdProcess, ATakenPortIsOneSentenceAndLeavesNoDevice) {
  const os::Fd other(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(18737);
  ASSERT_EQ(::bind(other.raw(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  start();
  const int status = stop(0);
  EXPECT_EQ(WEXITSTATUS(status), 78);
  const std::string log = read_log();
  EXPECT_NE(log.find("UDP port 18737 is taken by another program"), std::string::npos) << log;
  EXPECT_EQ(::if_nametoindex("wt-t"), 0u);
}

TEST_F(TapdProcess, AHostWithoutTunIsToldSo) {
  ASSERT_EQ(::mount("tmpfs", "/dev/net", "tmpfs", 0, nullptr), 0);
  start(false);
  const int status = stop(0);
  EXPECT_EQ(WEXITSTATUS(status), 78);
  const std::string log = read_log();
  EXPECT_NE(log.find("no usable TUN device"), std::string::npos) << log;
}

TEST_F(TapdProcess, BadConfigurationNamesTheLine) {
  test::write_text("/etc/wattle/t/wattle.conf", "# x\nmtu = huge\n");
  start();
  EXPECT_EQ(WEXITSTATUS(stop(0)), 78);
  EXPECT_NE(read_log().find("/etc/wattle/t/wattle.conf:2: mtu must be"), std::string::npos);
  ::unlink("/etc/wattle/t/member.conf");
  test::write_text("/etc/wattle/t/wattle.conf", "");
  start();
  EXPECT_EQ(WEXITSTATUS(stop(0)), 78);
  EXPECT_NE(read_log().find("has this host joined the network t?"), std::string::npos);
}

TEST_F(TapdProcess, ADeletedDeviceEndsItSoThatItIsMadeAgain) {
  start();
  ASSERT_TRUE(await_ready());
  run_shell("ip link del wt-t");
  EXPECT_EQ(WEXITSTATUS(stop(0)), 1);
  start();  // with the stored descriptor of the deleted device
  ASSERT_TRUE(await_ready());
  EXPECT_NE(::if_nametoindex("wt-t"), 0u);
}

}  // namespace
}  // namespace wattle
