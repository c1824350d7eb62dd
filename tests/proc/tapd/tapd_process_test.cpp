// The real wattle-tapd against a fake cryptod.
#include "tests/proc/tapd/tapd_process.h"

namespace wattle::test {
namespace {

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
  EXPECT_EQ(status_of(pid_, "Uid").substr(0, 5), "65534");
  EXPECT_EQ(status_of(pid_, "Groups"), "");
  EXPECT_EQ(status_of(pid_, "CapEff"), "0000000000000000");
  EXPECT_EQ(status_of(pid_, "CapPrm"), "0000000000000000");
  EXPECT_EQ(status_of(pid_, "CapAmb"), "0000000000000000");
  EXPECT_EQ(status_of(pid_, "NoNewPrivs"), "1");
  EXPECT_EQ(status_of(pid_, "Seccomp"), "2");
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
  write_text("/etc/wattle/t/member.conf",
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
  write_text("/etc/wattle/t/wattle.conf", "# x\nmtu = huge\n");
  start();
  EXPECT_EQ(WEXITSTATUS(stop(0)), 78);
  EXPECT_NE(read_log().find("/etc/wattle/t/wattle.conf:2: mtu must be"), std::string::npos);
  ::unlink("/etc/wattle/t/member.conf");
  write_text("/etc/wattle/t/wattle.conf", "");
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
}  // namespace wattle::test
