#include "common/base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>

namespace wattle {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return Error(Errc::BadValue, "odd");
  return number / 2;
}

Result<int> quarter(int number) {
  const int two = WATTLE_TRY(half(number));
  return WATTLE_TRY(half(two));
}

Result<void> check(int number) {
  WATTLE_TRY(half(number));
  return {};
}

TEST(Result, TryYieldsOrReturns) {
  EXPECT_EQ(*quarter(12), 3);
  EXPECT_EQ(quarter(6).error().code, Errc::BadValue);
  EXPECT_EQ(quarter(6).error().text(), "odd");
  EXPECT_TRUE(check(2));
  EXPECT_EQ(check(1).error().sentence, "odd");
}

TEST(Result, HoldsWhatOnlyMoves) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 7);
}

TEST(ResultDeathTest, WrongSideDies) {
  const Result<int> bad(Errc::Closed);
  EXPECT_DEATH(static_cast<void>(bad.value()), "check failed");
  const Result<int> good(1);
  EXPECT_DEATH(static_cast<void>(good.error()), "check failed");
  EXPECT_DEATH(static_cast<void>(WATTLE_MUST(half(1))), "check failed");
}

TEST(Errc, EveryKindHasItsOwnPhrase) {
  std::set<std::string_view> seen;
  for (int code = 0; code <= static_cast<int>(Errc::Unsupported); ++code) {
    const std::string_view words = phrase(static_cast<Errc>(code));
    EXPECT_FALSE(words.empty());
    EXPECT_TRUE(seen.insert(words).second) << words;
  }
  EXPECT_EQ(Error(Errc::Timeout).text(), phrase(Errc::Timeout));
}

}  // namespace
}  // namespace wattle
