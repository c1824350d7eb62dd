// Reading and writing of packets takes nothing from the heap once it has what a batch needs.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cryptod/io/tap_port.h"
#include "cryptod/io/udp_port.h"
#include "tests/unit/cryptod/core/allocations.h"

namespace wattle::cryptod {
namespace {

bool readable(int fd) {
  pollfd p{fd, POLLIN, 0};
  return poll(&p, 1, 1000) == 1;
}

// Runs it a few times, then counts.
template <typename Round>
void expect_none(const Round& round) {
  allocations = 0;
  counting = true;
  for (int i = 0; i < 10; ++i) round();
  EXPECT_GT(allocations, 0u);  // the first growth
  allocations = 0;
  for (int i = 0; i < 200; ++i) round();
  counting = false;
  EXPECT_EQ(allocations, 0u);
}

TEST(IoAllocation, NoneForDatagrams) {
  os::Fd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof in;
  ASSERT_EQ(bind(fd.raw(), reinterpret_cast<sockaddr*>(&in), size), 0);
  ASSERT_EQ(getsockname(fd.raw(), reinterpret_cast<sockaddr*>(&in), &size), 0);
  UdpPort port(std::move(fd), 4, ntohs(in.sin_port), true, [](const Endpoint&, std::size_t) {});
  port.take_trains(true);
  // A train, a shorter one behind it, some of all sizes, one that is too long.
  std::vector<Bytes> sent(20, Bytes(1000));
  for (std::size_t i = 1; i <= 20; ++i) sent.emplace_back(i * 31);
  sent.emplace_back(65'508);
  std::vector<OutDatagram> batch;
  for (const Bytes& bytes : sent) {
    batch.emplace_back();
    batch.back().destination = {WATTLE_MUST(IpAddress::parse("127.0.0.1")), ntohs(in.sin_port)};
    batch.back().bytes = bytes;
  }
  ReceiveBuffers buffers;
  std::vector<Received> received;
  Counters counters;
  std::size_t came = 0;
  expect_none([&] {
    port.send(batch, counters);
    for (std::size_t n = 0; n < 40 && readable(port.socket());
         n += received.size(), came += received.size())
      port.receive(buffers, received, counters);
  });
  EXPECT_EQ(came, 210u * 40);
}

TEST(IoAllocation, NoneForFrames) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  const os::Fd kernel(ends[0]);
  TapPort port{os::Fd(ends[1]), Offloads{}};
  FrameBuffers buffers;
  std::vector<TapFrame> frames;
  Counters counters;
  Bytes small(10 + 60, 0), big(10 + 60'000, 0), room(10 + 60, 1), taken(70'000);
  const Bytes piece(1400, 2);
  const ByteView pieces[] = {piece, piece, piece};
  const OutFrame out[] = {{MutableBytes(room).subspan(10)},
                          {MutableBytes(room).subspan(10), {}, 0, 3}};
  std::size_t came = 0, left = 0;
  expect_none([&] {
    for (const Bytes* frame : {&small, &big, &small})
      ASSERT_EQ(write(kernel.raw(), frame->data(), frame->size()),
                static_cast<ssize_t>(frame->size()));
    port.receive(buffers, frames, counters);
    came += frames.size();
    for (const TapFrame& frame : frames) buffers.give_back(frame.buffer);
    frames.clear();
    port.send(out, pieces, counters);
    while (read(kernel.raw(), taken.data(), taken.size()) > 0) ++left;
  });
  EXPECT_EQ(came, 210u * 3);
  EXPECT_EQ(left, 210u * 2);
}

}  // namespace
}  // namespace wattle::cryptod
