#include "registry/signer/clock_guard.h"

#include <gtest/gtest.h>

namespace wattle::test {
namespace {

using signer::ClockGuard;
using std::chrono::hours;

constexpr UnixTime kNewest{1790000000};
constexpr std::uint64_t kDay = 24 * 3600;
constexpr std::uint64_t kYear = 365 * kDay;
constexpr Instant kStart{hours(7)};

UnixTime after(std::uint64_t seconds) { return {kNewest.seconds + seconds}; }

TEST(ClockGuard, a_start_believes_a_clock_near_the_newest_entry) {
  for (const UnixTime now : {kNewest, after(5), after(29 * kDay), UnixTime{kNewest.seconds - 3600}})
    EXPECT_FALSE(ClockGuard(kNewest).judge(now, kStart)) << now.seconds;
}

TEST(ClockGuard, a_start_a_year_off_is_refused_both_ways_until_it_is_set_right) {
  ClockGuard guard(kNewest);
  const auto behind = guard.judge({kNewest.seconds - kYear}, kStart);
  ASSERT_TRUE(behind);
  EXPECT_NE(behind->find("365 days behind"), std::string::npos) << *behind;
  EXPECT_NE(behind->find("accept-clock"), std::string::npos);
  const auto ahead = guard.judge(after(kYear), kStart);
  ASSERT_TRUE(ahead);
  EXPECT_NE(ahead->find("365 days ahead"), std::string::npos) << *ahead;
  EXPECT_FALSE(guard.judge(after(60), kStart));
}

TEST(ClockGuard, a_jump_of_a_year_while_it_runs_is_refused_both_ways) {
  ClockGuard guard(kNewest);
  ASSERT_FALSE(guard.judge(after(10), kStart));
  const auto ahead = guard.judge(after(kYear), kStart + hours(1));
  ASSERT_TRUE(ahead);
  EXPECT_NE(ahead->find("ahead"), std::string::npos) << *ahead;
  const auto back = guard.judge({kNewest.seconds - kYear}, kStart + hours(1));
  ASSERT_TRUE(back);
  EXPECT_NE(back->find("back"), std::string::npos) << *back;
  EXPECT_FALSE(guard.judge(after(3600), kStart + hours(1)));
}

TEST(ClockGuard, time_that_has_passed_is_no_jump) {
  ClockGuard guard(kNewest);
  ASSERT_FALSE(guard.judge(after(0), kStart));
  EXPECT_FALSE(guard.judge(after(90 * kDay), kStart + hours(90 * 24)));
  EXPECT_FALSE(guard.judge(after(90 * kDay - 3600), kStart + hours(90 * 24)));  // set by an hour
}

TEST(ClockGuard, root_may_say_that_it_is_right) {
  for (const UnixTime now : {after(kYear), UnixTime{kNewest.seconds - kYear}}) {
    ClockGuard guard(kNewest);
    ASSERT_TRUE(guard.judge(now, kStart));
    guard.accept(now, kStart);
    EXPECT_FALSE(guard.judge(now, kStart));
    EXPECT_FALSE(guard.judge({now.seconds + 3600}, kStart + hours(1)));
    EXPECT_TRUE(guard.judge(kNewest, kStart + hours(1)));
  }
}

}  // namespace
}  // namespace wattle::test
