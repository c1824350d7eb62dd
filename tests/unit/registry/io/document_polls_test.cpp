#include "registry/io/document_polls.h"

#include <gtest/gtest.h>
#include <vector>

#include "common/os/clock.h"

namespace wattle::registry {
namespace {

using std::chrono::milliseconds;

IpAddress client(int n) {
  return IpAddress::v4({10, 0, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)});
}

struct Polls : ::testing::Test {
  os::EventLoop loop;
  DocumentPolls polls{loop, milliseconds(80)};
  std::vector<int> answers;  // statuses, in the order in which they came

  std::shared_ptr<Caller> ask(int who, std::uint64_t after) {
    auto caller = std::make_shared<Caller>();
    polls.hold(
        client(who), after, [this](const Answer& a) { answers.push_back(a.status); }, caller);
    return caller;
  }
  void run_for(Duration time) {
    const os::Watch end = loop.after(time, [this] { loop.stop(); });
    loop.run();
  }
};

TEST_F(Polls, a_newer_version_wakes_those_who_wait_for_it_and_only_them) {
  ask(1, 4);
  ask(2, 5);
  ask(3, 3);
  polls.wake(4, text_answer("x"));
  EXPECT_EQ(answers, std::vector<int>{200});
  polls.wake(6, text_answer("x"));
  EXPECT_EQ(answers, (std::vector<int>{200, 200, 200}));
  EXPECT_EQ(polls.size(), 0u);
}

TEST_F(Polls, says_after_its_time_that_there_is_no_news) {
  ask(1, 4);
  run_for(milliseconds(40));
  ask(2, 4);
  EXPECT_TRUE(answers.empty());
  run_for(milliseconds(60));
  EXPECT_EQ(answers, std::vector<int>{204});
  run_for(milliseconds(60));
  EXPECT_EQ(answers, (std::vector<int>{204, 204}));
  EXPECT_EQ(polls.size(), 0u);
}

TEST_F(Polls, of_300_those_above_the_bound_are_answered_at_once) {
  for (int i = 0; i < 300; ++i) ask(i, 1);
  EXPECT_EQ(polls.size(), DocumentPolls::kMaxHeld);
  EXPECT_EQ(answers, std::vector<int>(300 - DocumentPolls::kMaxHeld, 204));
  polls.wake(2, text_answer("x"));
  EXPECT_EQ(answers.size(), 300u);
  EXPECT_EQ(answers.back(), 200);
}

TEST_F(Polls, one_client_has_its_own_bound) {
  for (std::size_t i = 0; i < DocumentPolls::kMaxPerClient + 3; ++i) ask(1, 1);
  EXPECT_EQ(answers.size(), 3u);
  ask(2, 1);
  EXPECT_EQ(answers.size(), 3u);
}

TEST_F(Polls, who_goes_away_leaves_its_place) {
  std::vector<std::shared_ptr<Caller>> callers;
  for (std::size_t i = 0; i < DocumentPolls::kMaxPerClient; ++i) callers.push_back(ask(1, 1));
  std::exchange(callers[3]->on_gone, nullptr)();
  EXPECT_EQ(polls.size(), DocumentPolls::kMaxPerClient - 1);
  EXPECT_EQ(answers, std::vector<int>{204});  // to nobody
  ask(1, 1);
  EXPECT_EQ(polls.size(), DocumentPolls::kMaxPerClient);
  EXPECT_EQ(answers.size(), 1u);
  polls.wake(2, text_answer("x"));
  EXPECT_EQ(callers[0]->on_gone, nullptr);  // no call into what is answered
}

TEST_F(Polls, keeps_the_connection_open_longer_than_it_waits) {
  auto caller = std::make_shared<Caller>();
  Duration open{};
  caller->keep_open = [&](Duration time) { open = time; };
  polls.hold(
      client(1), 1, [](const Answer&) {}, caller);
  EXPECT_GT(open, milliseconds(80));
  polls.hold(
      client(1), 1, [](const Answer&) {}, nullptr);  // a caller need not be known
  EXPECT_EQ(polls.size(), 2u);
}

}  // namespace
}  // namespace wattle::registry
