// Both ways of reading and writing do the same, with a unix datagram socket in the place of the
// TAP. With the real one: tests/proc/cryptod and tests/netns.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>

#include "cryptod/io/epoll_io.h"
#include "cryptod/io/uring_io.h"

namespace wattle::cryptod {
namespace {

Bytes behind_header(const Bytes& frame) {
  Bytes all(kVirtioHeader + frame.size(), 0);
  std::ranges::copy(frame, all.begin() + kVirtioHeader);
  return all;
}

struct PacketIoTest : testing::TestWithParam<const char*> {
  void SetUp() override {
    PacketIo::Events events{
        .on_datagrams = [](std::span<Received>) {},
        .on_frames =
            [this] {
              ++wakes;
              while (io->take_frames(frames)) continue;
              loop.stop();
            },
        .on_too_big = [](const Endpoint&, std::size_t) {},
        .on_tap_gone = [this] { ++gone; },
    };
    if (GetParam() == std::string("epoll")) {
      io = std::make_unique<EpollIo>(loop, Offloads{}, counters, std::move(events));
    } else {
      auto ring = Ring::create();
      if (!ring) GTEST_SKIP() << ring.error().text();
      io = std::make_unique<UringIo>(loop, Offloads{}, counters, std::move(events),
                                     std::move(*ring));
    }
    kernel = attach();
  }
  os::Fd attach() {
    int ends[2];
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    io->attach_tap(os::Fd(ends[1]));
    return os::Fd(ends[0]);
  }
  bool put(const Bytes& bytes) {
    return write(kernel.raw(), bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  }
  Bytes got() {
    Bytes out(100'000);
    const ssize_t n = read(kernel.raw(), out.data(), out.size());
    out.resize(n < 0 ? 0 : static_cast<std::size_t>(n));
    return out;
  }
  void run() {
    const os::Watch limit = loop.after(std::chrono::seconds(1), [this] { loop.stop(); });
    loop.run();
  }
  void give_all_back() {
    for (const TapFrame& frame : frames) io->give_back(frame);
    frames.clear();
  }

  os::EventLoop loop;
  Counters counters;
  std::unique_ptr<PacketIo> io;
  os::Fd kernel;
  std::vector<TapFrame> frames;
  int wakes = 0, gone = 0;
};

TEST_P(PacketIoTest, TakesFramesInOrderOnceStarted) {
  ASSERT_TRUE(put(behind_header(Bytes(60, 1))));
  run();
  EXPECT_EQ(wakes, 0);
  io->start_frames();
  run();
  ASSERT_EQ(frames.size(), 1u);
  give_all_back();

  std::uint8_t next = 0, expected = 0;
  for (int round = 0; round < 300; ++round) {
    const int count = round % 7 + 1;
    for (int i = 0; i < count; ++i)
      ASSERT_TRUE(put(behind_header(Bytes(60u + static_cast<std::size_t>(round), next++))));
    run();
    ASSERT_EQ(frames.size(), static_cast<std::size_t>(count));
    for (const TapFrame& frame : frames) {
      EXPECT_EQ(frame.bytes.size(), 60u + static_cast<std::size_t>(round));
      EXPECT_EQ(frame.bytes[0], expected++);
    }
    give_all_back();
  }
  EXPECT_TRUE(counters.list().empty());
}

// As many as may wait are kept, each in a buffer of its own, and reading goes on.
TEST_P(PacketIoTest, KeepsFramesUntilTheyAreGivenBack) {
  io->start_frames();
  for (std::size_t i = 0; i < FairQueue::kMaxFrames; ++i) {
    const auto value = static_cast<std::uint8_t>(i * 7);
    ASSERT_TRUE(put(behind_header(Bytes(100, value))));
    run();
    ASSERT_EQ(frames.size(), i + 1);
  }
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_TRUE(equal(frames[i].bytes, Bytes(100, static_cast<std::uint8_t>(i * 7))));
    EXPECT_TRUE(i == 0 || frames[i].buffer != frames[i - 1].buffer);
  }
  give_all_back();
  ASSERT_TRUE(put(behind_header(Bytes(100, 9))));
  run();
  EXPECT_EQ(frames.size(), 1u);
}

TEST_P(PacketIoTest, DropsNonsenseAndGoesOn) {
  io->start_frames();
  for (int i = 0; i < 2000; ++i) {  // more than there are buffers
    Bytes bad(i % 2 == 0 ? 70 : 9, 0);
    bad[1] = 77;  // no such row
    ASSERT_TRUE(put(bad));
    run();
  }
  EXPECT_TRUE(frames.empty());
  EXPECT_EQ(counters.of(Counter::IoTapOffload), 1000u);
  EXPECT_EQ(counters.of(Counter::IoTruncated), 1000u);
  ASSERT_TRUE(put(behind_header(Bytes(60, 5))));
  run();
  EXPECT_EQ(frames.size(), 1u);
}

TEST_P(PacketIoTest, WritesFramesAndPiecesInOrder) {
  std::vector<Bytes> room;
  const Bytes two(50, 2), three(30, 3);
  Actions actions;
  for (std::size_t round = 0; round < 300; ++round) {
    actions.clear();
    room.clear();
    const std::size_t count = round % 9;  // 8 fit into the socket
    for (std::size_t i = 0; i < count; ++i) room.emplace_back(70 + i, static_cast<std::uint8_t>(i));
    for (std::size_t i = 0; i < count; ++i) {
      OutFrame out{MutableBytes(room[i]).subspan(kFrameHeadroom)};
      if (i % 3 == 2) {
        out.first = actions.pieces.size();
        out.count = 2;
        out.offload = {true, false, Offload::Row::Tcp4, 50, 54, 34, 16};
        actions.pieces.push_back(two);
        actions.pieces.push_back(three);
      }
      actions.frames.push_back(out);
    }
    io->send(actions);
    for (std::size_t i = 0; i < count; ++i) {
      const bool row = i % 3 == 2;
      const Bytes all = got();
      ASSERT_EQ(all.size(), 70 + i + (row ? 80 : 0)) << round;
      EXPECT_EQ(all[1], row ? 1 : 0);
      EXPECT_EQ(all[kVirtioHeader], i);
      EXPECT_TRUE(!row || equal(ByteView(all).last(30), three));
    }
    EXPECT_TRUE(got().empty());
  }
  EXPECT_TRUE(counters.list().empty());
}

TEST_P(PacketIoTest, CountsEachFrameThatTheDeviceDoesNotTake) {
  Bytes room(80, 1);
  Actions actions;
  // More than one call of the ring holds, all with pieces.
  actions.pieces.assign(40, ByteView(room).first(10));
  for (int i = 0; i < 300; ++i)
    actions.frames.push_back({MutableBytes(room).subspan(kFrameHeadroom), {}, 0, 40});
  io->send(actions);
  std::uint64_t came = 0;
  while (!got().empty()) ++came;
  EXPECT_GT(came, 0u);
  EXPECT_EQ(came + counters.of(Counter::IoTapBlocked), 300u);
  kernel.close();
  io->send(actions);
  EXPECT_EQ(counters.of(Counter::IoTapFailed), 300u);
}

TEST_P(PacketIoTest, TurnsToTheDeviceItIsGivenLast) {
  io->start_frames();
  ASSERT_TRUE(put(behind_header(Bytes(60, 1))));
  run();
  EXPECT_EQ(frames.size(), 1u);
  give_all_back();
  const os::Fd before = std::exchange(kernel, attach());
  EXPECT_LT(write(before.raw(), "x", 1), 0);  // nobody holds the other end
  ASSERT_TRUE(put(behind_header(Bytes(60, 2))));
  run();
  EXPECT_TRUE(frames.empty());  // not started
  io->start_frames();
  run();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].bytes[0], 2);
  EXPECT_EQ(gone, 0);
}

INSTANTIATE_TEST_SUITE_P(Ways, PacketIoTest, testing::Values("epoll", "uring"),
                         [](const auto& way) { return std::string(way.param); });

}  // namespace
}  // namespace wattle::cryptod
