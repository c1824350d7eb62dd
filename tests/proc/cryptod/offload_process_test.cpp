// The real wattle-cryptod, sealed, and the offloads of its TAP and UDP socket.
#include <netinet/in.h>
#include <netinet/udp.h>
#include <signal.h>
#include <sys/socket.h>
#include <sstream>

#include "tests/proc/cryptod/node.h"

namespace wattle::test {
namespace {

constexpr const char* kFeatures[] = {"tx-checksumming", "tcp-segmentation-offload",
                                     "tx-udp-segmentation"};

// Those of the three that are on, and gro.
std::string switched_on(Node& node) {
  std::string out;
  std::istringstream lines(node.world.shell(node.space, "ethtool -k wt-test"));
  for (std::string line; std::getline(lines, line);)
    for (const std::string name : kFeatures)
      if (line.find(name + ": on") != std::string::npos) out += name + " ";
  int gro = -1;
  socklen_t size = sizeof gro;
  EXPECT_EQ(getsockopt(node.udp.raw(), IPPROTO_UDP, UDP_GRO, &gro, &size), 0);
  return out + (gro == 1 ? "gro" : gro == 0 ? "" : "?");
}

// As --offload says, whatever the process before it had said.
TEST(CryptodOffload, SwitchesDeviceAndSockets) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root: namespaces, TAPs, sockets made by root";
  World world;
  Node a(world, 1), b(world, 2);
  ASSERT_NO_FATAL_FAILURE(b.start());
  const struct {
    const char *offload, *on, *io;
  } kTable[] = {
      {"none", "", "epoll"},
      {"all", "tx-checksumming tcp-segmentation-offload tx-udp-segmentation gro", "epoll"},
      {"csum,gso", "tx-checksumming ", "uring"},
      {"csum,tso,gro", "tx-checksumming tcp-segmentation-offload gro", "epoll"},
      {"csum,uso", "tx-checksumming tx-udp-segmentation ", "epoll"},
      {"gro", "gro", "epoll"},
      {"none", "", "epoll"},
      {"all", "tx-checksumming tcp-segmentation-offload tx-udp-segmentation gro", "uring"},
      {"none", "", "uring"},
  };
  for (const auto& row : kTable) {
    a.more = {"--offload=" + std::string(row.offload), "--io=" + std::string(row.io)};
    ASSERT_NO_FATAL_FAILURE(a.start());
    EXPECT_TRUE(world.until([&] { return a.live_with(b) && b.live_with(a); })) << a.log_text();
    const std::string said = world.shell(
        a.space, "ping -n -i 0.1 -W 2 -c 2 " + b.ipv4() + " && ping -n -c 1 " + b.ipv6());
    EXPECT_NE(said.find(" 0% packet loss"), std::string::npos) << said << a.log_text();
    EXPECT_EQ(switched_on(a), row.on) << row.offload << ": " << a.log_text();
    const Ending end = a.stop(SIGTERM);
    EXPECT_TRUE(end.exited && end.code == 0) << row.offload;  // and not killed by the filter
    a.had_session = true;
    a.peers.clear();
    b.peers.clear();
  }
}

}  // namespace
}  // namespace wattle::test
