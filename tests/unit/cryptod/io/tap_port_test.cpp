// A unix datagram socket in the place of the TAP queue: message borders as a TAP has them. The real
// one is in tests/proc/cryptod.
#include "cryptod/io/tap_port.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace wattle::cryptod {
namespace {

struct Queue {
  Queue() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    kernel = os::Fd(ends[0]);
    port.emplace(os::Fd(ends[1]), Offloads{});
  }
  void put(std::uint8_t flags, std::uint8_t gso, const Bytes& frame) {
    Bytes all{flags, gso, 0, 0, 0, 0, 0, 0, 0, 0};
    all.insert(all.end(), frame.begin(), frame.end());
    EXPECT_EQ(write(kernel.raw(), all.data(), all.size()), static_cast<ssize_t>(all.size()));
  }
  TapPort::Taken receive() {
    for (const TapFrame& frame : frames) buffers.give_back(frame.buffer);
    frames.clear();
    return port->receive(buffers, frames, counters);
  }
  os::Fd kernel;
  std::optional<TapPort> port;
  FrameBuffers buffers;
  Counters counters;
  std::vector<TapFrame> frames;
};

TEST(TapPort, TakesFramesWithoutTheirHeader) {
  Queue q;
  const Bytes one(60, 1), big(kMaxFrame, 2);
  q.put(0, 0, one);
  q.put(2, 0, big);  // DATA_VALID is no offload
  EXPECT_EQ(q.receive(), TapPort::Taken::Drained);
  ASSERT_EQ(q.frames.size(), 2u);
  EXPECT_TRUE(equal(q.frames[0].bytes, one));
  EXPECT_TRUE(equal(q.frames[1].bytes, big));
  EXPECT_EQ(q.receive(), TapPort::Taken::Drained);
  EXPECT_TRUE(q.frames.empty());
  EXPECT_TRUE(q.counters.list().empty());
}

TEST(TapPort, DropsUnknownOffloadsAndNonsense) {
  Queue q;
  const Bytes frame(60, 1);
  q.put(0, 1, frame);  // TCP segments with all checksums
  q.put(1, 1, frame);  // of size zero
  q.put(1, 3, frame);  // UDP fragments of old
  const std::uint8_t tiny[9] = {};
  EXPECT_EQ(write(q.kernel.raw(), tiny, sizeof tiny), 9);
  q.put(0, 0, frame);
  EXPECT_EQ(q.receive(), TapPort::Taken::Drained);
  ASSERT_EQ(q.frames.size(), 1u);
  EXPECT_TRUE(equal(q.frames[0].bytes, frame));
  EXPECT_EQ(q.counters.of(Counter::IoTapOffload), 3u);
  EXPECT_EQ(q.counters.of(Counter::IoTruncated), 1u);
  EXPECT_EQ(q.buffers.free(), FrameBuffers::kCount - 1);  // what was dropped keeps no buffer
}

TEST(TapPort, KeepsEachFrameUntilItIsGivenBack) {
  Queue q;
  const Bytes one(60, 1), two(60, 2);
  q.put(0, 0, one);
  EXPECT_EQ(q.receive(), TapPort::Taken::Drained);
  const TapFrame kept = q.frames.at(0);
  q.frames.clear();
  q.put(0, 0, two);
  EXPECT_EQ(q.receive(), TapPort::Taken::Drained);
  EXPECT_TRUE(equal(kept.bytes, one));
  EXPECT_TRUE(equal(q.frames.at(0).bytes, two));
  EXPECT_EQ(q.buffers.free(), FrameBuffers::kCount - 2);
}

TEST(TapPort, EndsABatch) {
  Queue q;
  std::size_t put = 0, taken = 0;
  for (; put < TapPort::kBatch; ++put) {
    const Bytes frame(64, static_cast<std::uint8_t>(put));
    Bytes all(10, 0);
    all.insert(all.end(), frame.begin(), frame.end());
    if (write(q.kernel.raw(), all.data(), all.size()) < 0) break;  // the socket's own bound
  }
  while (taken < put) {
    q.receive();
    ASSERT_FALSE(q.frames.empty());
    for (const TapFrame& frame : q.frames) EXPECT_EQ(frame.bytes[5], taken++);
  }
}

TEST(TapPort, WritesAPlainHeaderBeforeEachFrame) {
  Queue q;
  Bytes room(400, 0xee);
  const OutFrame frames[] = {{MutableBytes(room).subspan(10, 60)},
                             {MutableBytes(room).subspan(80, 100)}};
  q.port->send(frames, {}, q.counters);
  Bytes got(1000);
  ASSERT_EQ(read(q.kernel.raw(), got.data(), got.size()), 70);
  EXPECT_TRUE(equal(ByteView(got).first(10), Bytes(10, 0)));
  EXPECT_TRUE(equal(ByteView(got).subspan(10, 60), Bytes(60, 0xee)));
  ASSERT_EQ(read(q.kernel.raw(), got.data(), got.size()), 110);
  EXPECT_TRUE(equal(ByteView(got).first(10), Bytes(10, 0)));
  EXPECT_TRUE(q.counters.list().empty());
}

TEST(TapPort, WritesAllPiecesOfASuperFrameWithOneCall) {
  Queue q;
  Bytes room(70, 1);
  const Bytes two(50, 2), three(30, 3);
  const ByteView pieces[] = {two, two, three};
  const Offload offload{true, false, Offload::Row::Tcp4, 50, 54, 34, 16};
  const OutFrame frames[] = {{MutableBytes(room).subspan(10), offload, 1, 2}};
  q.port->send(frames, pieces, q.counters);
  Bytes got(1000);
  ASSERT_EQ(read(q.kernel.raw(), got.data(), got.size()), 150);
  const auto header = read_virtio_header(got);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->row, Offload::Row::Tcp4);
  EXPECT_EQ(header->segment, 50);
  EXPECT_EQ(header->sum_start, 34);
  EXPECT_TRUE(equal(ByteView(got).subspan(10, 60), Bytes(60, 1)));
  EXPECT_TRUE(equal(ByteView(got).subspan(70, 50), two));
  EXPECT_TRUE(equal(ByteView(got).subspan(120, 30), three));
}

TEST(TapPort, CountsWhatTheKernelRefuses) {
  Queue q;
  Bytes room(80, 0);
  const OutFrame frame[] = {{MutableBytes(room).subspan(10, 60)}};
  for (int i = 0; i < 10'000 && q.counters.of(Counter::IoTapBlocked) == 0; ++i)
    q.port->send(frame, {}, q.counters);
  EXPECT_EQ(q.counters.of(Counter::IoTapBlocked), 1u);
  q.kernel.close();
  q.port->send(frame, {}, q.counters);
  EXPECT_EQ(q.counters.of(Counter::IoTapFailed), 1u);
}

// From now on TUNSETOFFLOAD says EINVAL if it is asked for any of `refused`, as kernels do that do
// not know them; else it does nothing and succeeds.
void be_old_kernel(unsigned refused) {
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  for (unsigned bit = 1; bit != 0; bit <<= 1)
    if ((refused & bit) != 0)
      seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(ioctl), 2,
                       SCMP_A1(SCMP_CMP_EQ, TUNSETOFFLOAD), SCMP_A2(SCMP_CMP_MASKED_EQ, bit, bit));
  seccomp_rule_add(filter, SCMP_ACT_ERRNO(0), SCMP_SYS(ioctl), 2,
                   SCMP_A1(SCMP_CMP_EQ, TUNSETOFFLOAD), SCMP_A2(SCMP_CMP_MASKED_EQ, refused, 0));
  if (seccomp_load(filter) != 0) _exit(3);
}

// A process of its own, which has such a kernel. Exit 0: it takes rows of UDP.
[[noreturn]] void open_on_old_kernel(unsigned refused, const Offloads& wanted) {
  be_old_kernel(refused);
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends) != 0) _exit(2);
  const TapPort port{os::Fd(ends[0]), wanted};
  _exit(port.takes_udp_rows() ? 0 : 1);
}

constexpr unsigned kUso = 0x60, kAnything = 0xff;

TEST(TapPortDeathTest, AKernelThatTakesAllHearsNoWordOfIt) {
  EXPECT_EXIT(open_on_old_kernel(0x80, {}), ::testing::ExitedWithCode(0), "^$");
}

TEST(TapPortDeathTest, AKernelBeforeUdpRowsLosesOnlyThem) {
  EXPECT_EXIT(open_on_old_kernel(kUso, {}), ::testing::ExitedWithCode(1),
              "^info [^:]*: the kernel does not hand over rows of UDP datagrams [^\n]*\n$");
}

TEST(TapPortDeathTest, AKernelThatRefusesAllStillHandsOverFrames) {
  EXPECT_EXIT(open_on_old_kernel(kAnything, {}), ::testing::ExitedWithCode(1),
              "^info [^:]*: the kernel hands over no checksums and no rows of segments\n$");
}

TEST(TapPortDeathTest, WhatIsNotWantedIsNotAskedFor) {
  EXPECT_EXIT(open_on_old_kernel(kUso, {.uso = false}), ::testing::ExitedWithCode(0), "^$");
  EXPECT_EXIT(open_on_old_kernel(kAnything, {.csum = false}), ::testing::ExitedWithCode(0), "^$");
}

}  // namespace
}  // namespace wattle::cryptod
