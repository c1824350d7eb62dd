#include "tests/proc/cryptod/net_space.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <cstdio>
#include <cstring>
#include <thread>

namespace wattle::test {

NetSpace::NetSpace() {
  std::thread([this] {
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
    fd_ = os::Fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
  }).join();
  EXPECT_TRUE(fd_.is_open());
  shell("ip link set lo up");
}

void NetSpace::inside(const std::function<void()>& body) const {
  std::thread([&] {
    ASSERT_EQ(setns(fd_.raw(), CLONE_NEWNET), 0);
    body();
  }).join();
}

std::string NetSpace::shell(const std::string& command) const {
  std::string out;
  inside([&] {
    FILE* pipe = popen(("( " + command + " ) 2>&1").c_str(), "re");
    ASSERT_NE(pipe, nullptr);
    char buffer[1024];
    while (const std::size_t n = fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, n);
    pclose(pipe);
  });
  return out;
}

os::Fd NetSpace::make_tap(const std::string& name, const MacAddress& mac) const {
  os::Fd tap;
  inside([&] {
    tap = os::Fd(open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    ifreq request{};
    std::memcpy(request.ifr_name, name.data(), name.size());
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    EXPECT_EQ(ioctl(tap.raw(), TUNSETIFF, &request), 0) << strerror(errno);
    int size = 10;
    EXPECT_EQ(ioctl(tap.raw(), TUNSETVNETHDRSZ, &size), 0);
  });
  const std::string set = "ip link set dev " + name + " ";
  EXPECT_EQ(
      shell(set + "addrgenmode none && " + set + "address " + mac.text() + " && " + set + "up"),
      "");
  return tap;
}

os::Fd NetSpace::bind_udp(const std::string& address, std::uint16_t port) const {
  os::Fd udp;
  inside([&] {
    udp = os::Fd(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const int on = 1;
    EXPECT_EQ(setsockopt(udp.raw(), IPPROTO_IP, IP_PKTINFO, &on, sizeof on), 0);
    EXPECT_EQ(setsockopt(udp.raw(), IPPROTO_UDP, UDP_GRO, &on, sizeof on), 0);
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(port);
    inet_pton(AF_INET, address.c_str(), &in.sin_addr);
    EXPECT_EQ(bind(udp.raw(), reinterpret_cast<sockaddr*>(&in), sizeof in), 0) << strerror(errno);
  });
  return udp;
}

}  // namespace wattle::test
