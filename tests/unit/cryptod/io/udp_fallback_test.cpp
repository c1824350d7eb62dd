// Sockets of which the kernel or the network card refuses things: sendmmsg and sendmsg of this
// program pass through a card that can be told what it cannot do (--wrap, unit/ether.cmake).
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "cryptod/io/udp_port.h"

namespace {

struct Card {
  bool checksums = true;      // else a train is refused with EIO
  std::size_t most = 100000;  // bytes of a datagram; longer ones are refused with EMSGSIZE
  std::size_t trains = 0;     // that have left
};
Card card;

std::size_t segment_of(const msghdr& header) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr;
       c = CMSG_NXTHDR(const_cast<msghdr*>(&header), c))
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_SEGMENT) {
      std::uint16_t size = 0;
      std::memcpy(&size, CMSG_DATA(c), sizeof size);
      return size;
    }
  return 0;
}

int refusal(const msghdr& header) {
  std::size_t size = 0;
  for (std::size_t i = 0; i < header.msg_iovlen; ++i) size += header.msg_iov[i].iov_len;
  const std::size_t segment = segment_of(header);
  if (std::min(size, segment == 0 ? size : segment) > card.most) return EMSGSIZE;
  return segment != 0 && !card.checksums ? EIO : 0;
}

}  // namespace

extern "C" {
int __real_sendmmsg(int, mmsghdr*, unsigned, int);
ssize_t __real_sendmsg(int, const msghdr*, int);

// As the kernel: those before the first that cannot leave have left.
int __wrap_sendmmsg(int socket, mmsghdr* messages, unsigned count, int flags) {
  unsigned good = 0;
  int error = 0;
  for (; good < count && (error = refusal(messages[good].msg_hdr)) == 0; ++good)
    card.trains += segment_of(messages[good].msg_hdr) != 0 ? 1 : 0;
  if (good != 0) return __real_sendmmsg(socket, messages, good, flags);
  errno = error;
  return -1;
}

ssize_t __wrap_sendmsg(int socket, const msghdr* header, int flags) {
  const int error = refusal(*header);
  if (error == 0) return __real_sendmsg(socket, header, flags);
  errno = error;
  return -1;
}
}

namespace wattle::cryptod {
namespace {

struct Fallback : ::testing::Test {
  std::uint16_t number = 0;
  std::vector<std::size_t> too_big;
  std::optional<UdpPort> port;
  Counters counters;
  std::vector<Bytes> sent;

  void SetUp() override {
    card = {};
    os::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof in;
    ASSERT_EQ(bind(fd.raw(), reinterpret_cast<sockaddr*>(&in), size), 0);
    ASSERT_EQ(getsockname(fd.raw(), reinterpret_cast<sockaddr*>(&in), &size), 0);
    number = ntohs(in.sin_port);
    port.emplace(std::move(fd), std::uint8_t{4}, number, true,
                 [this](const Endpoint&, std::size_t bytes) { too_big.push_back(bytes); });
  }
  void add(std::size_t count, std::size_t size) {
    for (std::size_t i = 0; i < count; ++i)
      sent.emplace_back(size, static_cast<std::uint8_t>(sent.size()));
  }
  // Sends it all to itself; what came.
  std::vector<Bytes> carry() {
    std::vector<OutDatagram> batch;
    for (const Bytes& bytes : sent) {
      batch.emplace_back();
      batch.back().destination = {WATTLE_MUST(IpAddress::parse("127.0.0.1")), number};
      batch.back().bytes = bytes;
    }
    port->send(batch, counters);
    std::vector<Bytes> came;
    ReceiveBuffers buffers;
    std::vector<Received> received;
    pollfd p{port->socket(), POLLIN, 0};
    while (poll(&p, 1, 50) == 1) {
      port->receive(buffers, received, counters);
      for (const Received& r : received) came.push_back(to_bytes(r.bytes));
    }
    return came;
  }
};

TEST_F(Fallback, ACardWithoutChecksumsGetsThemSinglyFromThenOnAndIsNamedOnce) {
  add(3, 50);
  EXPECT_EQ(carry(), sent);
  EXPECT_EQ(card.trains, 1u);
  card.checksums = false;
  add(1, 60);
  add(70, 40);
  add(5, 30);
  ::testing::internal::CaptureStderr();
  EXPECT_EQ(carry(), sent);
  EXPECT_EQ(carry(), sent);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1);
  EXPECT_NE(said.find("cannot checksum trains of datagrams; sending them singly"),
            std::string::npos);
  EXPECT_EQ(card.trains, 1u);
  EXPECT_EQ(counters.of(Counter::IoSendFailed), 0u);
  EXPECT_EQ(counters.of(Counter::IoSendBlocked), 0u);
}

TEST_F(Fallback, WhatIsTooLongIsSaidAndTheRestLeavesInTrains) {
  card.most = 1280;
  add(10, 1000);
  add(4, 1400);
  add(1, 1281);
  add(10, 1280);
  const auto came = carry();
  sent.erase(sent.begin() + 10, sent.begin() + 15);
  EXPECT_EQ(came, sent);
  EXPECT_EQ(card.trains, 2u);
  EXPECT_EQ(too_big, (std::vector<std::size_t>{1400, 1400, 1400, 1400, 1281}));
  EXPECT_EQ(counters.of(Counter::IoSendFailed), 5u);
}

}  // namespace
}  // namespace wattle::cryptod
