#include "common/os/event_loop.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <csignal>

#include "common/os/clock.h"
#include "common/os/fd.h"

namespace wattle::os {
namespace {

using std::chrono::milliseconds;

class LoopTest : public ::testing::Test {
 protected:
  void SetUp() override {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    read_end = Fd(ends[0]);
    write_end = Fd(ends[1]);
    limit = loop.after(std::chrono::seconds(20), [this] {
      ADD_FAILURE() << "the loop did not stop by itself";
      loop.stop();
    });
  }
  void poke() { ASSERT_EQ(write(write_end.raw(), "x", 1), 1); }
  void drain() {
    char bytes[16];
    while (read(read_end.raw(), bytes, sizeof bytes) > 0) {
    }
  }
  EventLoop loop;
  Fd read_end, write_end;
  Watch limit;
};

TEST_F(LoopTest, TimersNeverFireEarly) {
  for (const int ms : {1, 3, 7, 20, 31}) {
    const Instant begin = now();
    const Watch timer = loop.after(milliseconds(ms), [&] { loop.stop(); });
    loop.run();
    // libevent's coarse clock may lag by a tick: `after` is allowed that much.
    EXPECT_GE(now() - begin, milliseconds(ms) - milliseconds(5)) << ms;
  }
}

TEST_F(LoopTest, AnArmedTimerNeverFiresEarlyByOurClock) {
  for (const int ms : {1, 3, 7, 20, 31}) {
    Instant fired{};
    EventLoop::Timer timer(loop, [&] {
      fired = now();
      loop.stop();
    });
    const Instant begin = now();
    timer.arm(begin + milliseconds(ms), begin);
    loop.run();
    EXPECT_GE(fired - begin, milliseconds(ms)) << ms;
  }
}

TEST_F(LoopTest, TheNewestArmCounts) {
  int fired = 0;
  EventLoop::Timer timer(loop, [&] {
    ++fired;
    loop.stop();
  });
  const Instant begin = now();
  timer.arm(begin + milliseconds(5), begin);
  timer.arm(begin + milliseconds(60), begin);
  loop.run();
  EXPECT_EQ(fired, 1);
  EXPECT_GE(now() - begin, milliseconds(60));
}

TEST_F(LoopTest, ADisarmedTimerStaysQuiet) {
  EventLoop::Timer timer(loop, [] { ADD_FAILURE(); });
  const Instant begin = now();
  timer.arm(begin + milliseconds(5), begin);
  timer.arm(kNever, begin);
  const Watch end = loop.after(milliseconds(40), [&] { loop.stop(); });
  loop.run();
}

TEST_F(LoopTest, ATimerMayArmItselfAndPastDeadlinesFireAtOnce) {
  int fired = 0;
  EventLoop::Timer* self = nullptr;
  EventLoop::Timer timer(loop, [&] {
    if (++fired == 5) return loop.stop();
    self->arm(now() - milliseconds(1), now());
  });
  self = &timer;
  timer.arm(Instant{}, now());
  loop.run();
  EXPECT_EQ(fired, 5);
}

TEST_F(LoopTest, EveryRepeats) {
  int fired = 0;
  const Watch watch = loop.every(milliseconds(2), [&] {
    if (++fired == 4) loop.stop();
  });
  loop.run();
  EXPECT_EQ(fired, 4);
}

TEST_F(LoopTest, ReadableAndWritable) {
  std::string order;
  const Watch readable = loop.on_readable(read_end.raw(), [&] {
    drain();
    order += 'r';
    loop.stop();
  });
  Watch writable = loop.on_writable(write_end.raw(), [&] {
    order += 'w';
    poke();
    writable.reset();  // inside its own callback
  });
  loop.run();
  EXPECT_EQ(order, "wr");
}

TEST_F(LoopTest, AWatchMayEndInsideItsOwnCallbackAndUseItsCaptures) {
  poke();
  auto text = std::make_shared<std::string>("still here");
  std::weak_ptr<std::string> weak = text;
  std::string seen;
  Watch watch;
  watch = loop.on_readable(read_end.raw(), [&, kept = std::move(text)] {
    watch.reset();
    seen = *kept;
    loop.stop();
  });
  loop.run();
  EXPECT_EQ(seen, "still here");
  EXPECT_TRUE(weak.expired());
  EXPECT_FALSE(watch.active());
}

TEST_F(LoopTest, ADestroyedWatchDoesNotFire) {
  {
    const Watch watch = loop.on_readable(read_end.raw(), [] { ADD_FAILURE(); });
  }
  poke();
  const Watch end = loop.after(milliseconds(20), [&] { loop.stop(); });
  loop.run();
}

TEST_F(LoopTest, Signals) {
  int seen = 0;
  const Watch watch = loop.on_signal(SIGUSR1, [&] {
    ++seen;
    loop.stop();
  });
  const Watch trigger = loop.after(milliseconds(1), [] { raise(SIGUSR1); });
  loop.run();
  EXPECT_EQ(seen, 1);
}

TEST_F(LoopTest, StaysWhenNothingIsWatched) {
  EventLoop empty;
  bool waited = false;
  const Watch only = empty.after(milliseconds(10), [&] { waited = true; });
  const Watch end = empty.after(milliseconds(30), [&] { empty.stop(); });
  empty.run();
  EXPECT_TRUE(waited);
}

}  // namespace
}  // namespace wattle::os
