#include "cryptod/core/replay_window.h"

#include <gtest/gtest.h>

#include <set>

#include "engine_lab.h"

namespace wattle::cryptod {
namespace {

// The definition, slowly: (newest - 8192, newest], each once.
struct Model {
  std::set<std::uint64_t> got;
  std::uint64_t newest = 0;
  bool fresh(std::uint64_t c) const {
    if (got.empty()) return true;
    return c + ReplayWindow::kSize > newest && !got.contains(c);
  }
  void commit(std::uint64_t c) {
    got.insert(c);
    newest = std::max(newest, c);
    while (*got.begin() + 2 * ReplayWindow::kSize < newest) got.erase(got.begin());
  }
};

TEST(ReplayWindow, AgreesWithASetOverRandomWalks) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    lab::SeededRandom random(seed);
    ReplayWindow window;
    Model model;
    std::uint64_t at = random.next() % 3 == 0 ? 0 : random.next() % 100000;
    for (int i = 0; i < 20000; ++i) {
      // Steps of every size: next ones, jumps inside, across and far beyond the window, late ones.
      static constexpr std::uint64_t kSteps[] = {1,  1,   1,    2,    63,   64,
                                                 65, 500, 8191, 8192, 8193, 30000};
      std::uint64_t counter = at + kSteps[random.next() % std::size(kSteps)];
      if (random.next() % 2 == 0) counter -= std::min(counter, random.next() % 9000);
      const bool fresh = model.fresh(counter);
      ASSERT_EQ(window.fresh(counter), fresh) << "seed " << seed << " counter " << counter;
      if (!fresh || random.next() % 8 == 0) continue;
      const bool newest = model.got.empty() || counter > model.newest;
      EXPECT_EQ(window.commit(counter), newest);
      model.commit(counter);
      at = std::max(at, counter);
    }
  }
}

TEST(ReplayWindow, EdgesAreExact) {
  ReplayWindow window;
  EXPECT_TRUE(window.fresh(0));
  EXPECT_TRUE(window.commit(0));
  EXPECT_FALSE(window.fresh(0));
  EXPECT_TRUE(window.commit(8191));
  EXPECT_FALSE(window.fresh(0));
  EXPECT_TRUE(window.fresh(1));
  EXPECT_TRUE(window.commit(8192));
  EXPECT_FALSE(window.commit(0));  // fell out
  EXPECT_TRUE(window.fresh(1));
  EXPECT_TRUE(window.commit(8193));
  EXPECT_FALSE(window.fresh(1));
}

}  // namespace
}  // namespace wattle::cryptod
