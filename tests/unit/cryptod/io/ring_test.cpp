// A unix datagram socket in the place of the TAP. What the ring must refuse is put into its memory
// by hand, as a compromised cryptod would.
#include "cryptod/io/ring.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <liburing.h>
#include <sys/socket.h>
#include <unistd.h>
#include <array>
#include <cerrno>

#include "common/os/fd.h"
#include "tests/support/raw_ring.h"

namespace wattle::cryptod {
namespace {

struct RingTest : testing::Test {
  void SetUp() override {
    auto made = Ring::create();
    if (!made && made.error().text().find("makes no io_uring") != std::string::npos)
      GTEST_SKIP() << made.error().text();
    ASSERT_TRUE(made) << made.error().text();
    ring = std::move(*made);
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    far = os::Fd(ends[0]);
    near = os::Fd(ends[1]);
    ASSERT_TRUE(ring->put_file(near.raw()));
  }
  void put(const std::string& text) {
    ASSERT_EQ(write(far.raw(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string came() {
    char text[100];
    const ssize_t n = read(far.raw(), text, sizeof text);
    return n < 0 ? "nothing" : std::string(text, static_cast<std::size_t>(n));
  }
  // One call by hand.
  int result_of(const io_uring_sqe& call) {
    test::RawRing raw(getpid(), Ring::kCalls);
    EXPECT_TRUE(raw.found());
    EXPECT_EQ(raw.descriptor(), ring->descriptor());
    raw.put(call);
    const int taken = io_uring_enter(static_cast<unsigned>(ring->descriptor()), 1, 0, 0, nullptr);
    EXPECT_EQ(taken, 1);
    return raw.result().value_or(12345);
  }

  std::unique_ptr<Ring> ring;
  os::Fd far, near;
};

TEST_F(RingTest, ReadsWhatIsThereInOrderAndDoesNotWait) {
  std::array<Bytes, 6> places;
  for (int round = 0; round < 200; ++round) {
    const std::size_t there = static_cast<std::size_t>(round) % 6;
    for (std::size_t i = 0; i < there; ++i) put(std::string(i + 1, 'a'));
    for (std::size_t i = 0; i < places.size(); ++i) {
      places[i].assign(100, 0);
      ring->read(places[i], i);
    }
    EXPECT_EQ(ring->submit(), 0u);
    std::array<int, 6> results{};
    Ring::Completion done;
    for (std::size_t i = 0; i < places.size(); ++i) {
      ASSERT_TRUE(ring->next(done));
      ASSERT_LT(done.tag, places.size());
      results[done.tag] = done.result;
    }
    EXPECT_FALSE(ring->next(done));
    for (std::size_t i = 0; i < places.size(); ++i) {
      EXPECT_EQ(results[i], i < there ? static_cast<int>(i) + 1 : -EAGAIN);
      EXPECT_EQ(places[i][0], i < there ? 'a' : 0);
    }
  }
}

TEST_F(RingTest, WritesInOrderAndTellsFailuresOnly) {
  const std::string one = "one", two = "two", three = "three";
  const iovec parts[] = {{const_cast<char*>(two.data()), 3}, {const_cast<char*>(three.data()), 5}};
  ring->write(as_bytes(one));
  ring->write(parts);
  ring->write(as_bytes(three));
  EXPECT_EQ(ring->submit(), 0u);
  for (const char* text : {"one", "twothree", "three", "nothing"}) EXPECT_EQ(came(), text);
  Ring::Completion done;
  EXPECT_FALSE(ring->next(done));

  // Until the socket is full: what does not go is told, and nothing waits to go later.
  std::size_t failed = 0, sent = 0;
  for (int round = 0; round < 40; ++round) {
    while (ring->has_room()) ring->write(as_bytes(one));
    EXPECT_EQ(ring->submit(), 0u);
    for (; ring->next(done); ++failed) {
      EXPECT_EQ(done.tag, Ring::kWriteTag);
      EXPECT_EQ(done.result, -EAGAIN);
    }
  }
  while (came() == "one") ++sent;
  EXPECT_GT(failed, 0u);
  EXPECT_EQ(sent + failed, 40u * Ring::kCalls);
  EXPECT_EQ(came(), "nothing");

  far.close();
  ring->write(as_bytes(one));
  EXPECT_EQ(ring->submit(), 0u);
  ASSERT_TRUE(ring->next(done));
  EXPECT_LT(done.result, 0);
}

TEST_F(RingTest, KnowsTheFileItHasBeenGivenLast) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
  os::Fd other_far(ends[0]), other(ends[1]);
  ASSERT_TRUE(ring->put_file(other.raw()));
  near.close();
  Bytes place(100);
  ring->read(place, 7);
  ring->write(as_bytes("x"));
  EXPECT_EQ(ring->submit(), 0u);
  Ring::Completion done;
  ASSERT_TRUE(ring->next(done));
  EXPECT_EQ(done.result, -EAGAIN);
  char text[8];
  EXPECT_EQ(read(other_far.raw(), text, sizeof text), 1);
  EXPECT_LT(write(far.raw(), "x", 1), 0);  // nothing holds the one before

  ASSERT_TRUE(ring->put_file(-1));
  other.close();
  EXPECT_LT(write(other_far.raw(), "x", 1), 0);
  ring->read(place, 7);
  EXPECT_EQ(ring->submit(), 0u);
  ASSERT_TRUE(ring->next(done));
  EXPECT_EQ(done.result, -EBADF);
  EXPECT_FALSE(ring->put_file(12345));
}

TEST_F(RingTest, RefusesEveryOtherOperation) {
  constexpr int kLast = 200;
  int refused = 0;
  for (int operation = 0; operation < kLast; ++operation) {
    if (operation == IORING_OP_READ || operation == IORING_OP_WRITE ||
        operation == IORING_OP_WRITEV)
      continue;
    const int result = result_of(test::RawRing::call(operation, IOSQE_FIXED_FILE, 0));
    EXPECT_TRUE(result == -EACCES || (operation > IORING_OP_SENDMSG_ZC && result == -EINVAL))
        << operation << ": " << result;
    refused += result == -EACCES ? 1 : 0;
  }
  EXPECT_GE(refused, IORING_OP_SENDMSG_ZC - 2);
}

TEST_F(RingTest, RefusesOtherDescriptorsAndFlags) {
  const auto all = {IORING_OP_READ, IORING_OP_WRITE, IORING_OP_WRITEV};
  for (const int operation : all) {
    EXPECT_EQ(result_of(test::RawRing::call(operation, 0, near.raw())), -EACCES);
    EXPECT_EQ(result_of(test::RawRing::call(operation, IOSQE_FIXED_FILE, 1)), -EBADF);
    for (const unsigned flag :
         {IOSQE_IO_LINK, IOSQE_IO_HARDLINK, IOSQE_ASYNC, IOSQE_BUFFER_SELECT}) {
      const int result = result_of(test::RawRing::call(operation, IOSQE_FIXED_FILE | flag, 0));
      EXPECT_TRUE(result == -EACCES || (flag == IOSQE_BUFFER_SELECT && result == -EOPNOTSUPP))
          << operation << " " << flag << ": " << result;
    }
  }
  // For comparison: what it is for.
  put("hello");
  Bytes place(10);
  io_uring_sqe good = test::RawRing::call(IORING_OP_READ, IOSQE_FIXED_FILE, 0);
  good.addr = reinterpret_cast<std::uint64_t>(place.data());
  good.len = 10;
  EXPECT_EQ(result_of(good), 5);
  // Refused, too, but the kernel defers what comes after it.
  EXPECT_EQ(result_of(test::RawRing::call(IORING_OP_READ, IOSQE_FIXED_FILE | IOSQE_IO_DRAIN, 0)),
            -EACCES);
}

TEST_F(RingTest, RefusesToBeChanged) {
  const auto fd = static_cast<unsigned>(ring->descriptor());
  for (unsigned operation = 0; operation < 29; ++operation) {
    if (operation == IORING_REGISTER_FILES_UPDATE) continue;
    EXPECT_EQ(io_uring_register(fd, operation, nullptr, 0), -EACCES) << operation;
  }
  // The table has one place.
  int files[] = {near.raw(), far.raw()};
  io_uring_files_update update{};
  update.fds = reinterpret_cast<std::uint64_t>(files);
  EXPECT_LT(io_uring_register(fd, IORING_REGISTER_FILES_UPDATE, &update, 2), 0);
  update.offset = 1;
  EXPECT_LT(io_uring_register(fd, IORING_REGISTER_FILES_UPDATE, &update, 1), 0);
  EXPECT_TRUE(ring->put_file(near.raw()));
}

}  // namespace
}  // namespace wattle::cryptod
