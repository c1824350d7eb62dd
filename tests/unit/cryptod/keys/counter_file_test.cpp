#include "cryptod/keys/io/counter_file.h"

#include <gtest/gtest.h>

#include "common/os/file.h"
#include "tests/unit/common/os/child.h"

namespace wattle::keys {
namespace {

Counters next_of(const CounterFile& file, std::uint64_t epoch) {
  Counters c = file.loaded().counters;
  ++c.generation;
  c.epoch = epoch;
  return c;
}

TEST(CounterFile, IsMadeAndReadBack) {
  const test::TempFolder folder;
  const std::string path = folder.file("counter");
  {
    auto file = CounterFile::open(path).value();
    EXPECT_EQ(file.loaded().health, Health::Fresh);
    ASSERT_TRUE(file.store(next_of(file, 100)));
  }
  {
    auto file = CounterFile::open(path).value();
    EXPECT_EQ(file.loaded().health, Health::Good);
    EXPECT_EQ(file.loaded().counters.epoch, 100u);
    ASSERT_TRUE(file.store(next_of(file, 200)));
  }
  const auto file = CounterFile::open(path).value();
  EXPECT_EQ(file.loaded().health, Health::Good);
  EXPECT_EQ(file.loaded().counters.epoch, 200u);
  EXPECT_EQ(file.loaded().counters.generation, 2u);
}

TEST(CounterFile, TheNewestSlotIsNeverOverwritten) {
  const test::TempFolder folder;
  const std::string path = folder.file("counter");
  {
    auto file = CounterFile::open(path).value();
    Counters c;
    for (std::uint64_t g = 1; g <= 4; ++g) {
      c.generation = g;
      c.epoch = g * 10;
      ASSERT_TRUE(file.store(c));
    }
  }
  const Bytes bytes = os::read_file(path, 65536).value();
  EXPECT_EQ(parse_slot(ByteView(bytes).first(kSlotSize))->epoch, 40u);
  EXPECT_EQ(parse_slot(ByteView(bytes).subspan(kSlotStride, kSlotSize))->epoch, 30u);
}

// Any length the file may be cut to: it opens, and what it says is never below what it was or it
// starts from the clock.
TEST(CounterFile, OpensAfterEveryTruncation) {
  const test::TempFolder folder;
  const std::string path = folder.file("counter");
  Bytes whole;
  {
    auto file = CounterFile::open(path).value();
    Counters c;
    for (std::uint64_t g = 1; g <= 3; ++g) {
      c.generation = g;
      c.epoch = 1000 + g;
      ASSERT_TRUE(file.store(c));
    }
    whole = os::read_file(path, 65536).value();
  }
  for (std::size_t length = 0; length <= whole.size(); length += length % 512 < 8 ? 1 : 63) {
    const std::string cut = folder.file("cut");
    ASSERT_TRUE(os::write_file(cut, ByteView(whole).first(length), 0600));
    const auto file = CounterFile::open(cut);
    ASSERT_TRUE(file) << length;
    const auto& loaded = file->loaded();
    if (loaded.health == Health::Good || loaded.health == Health::OneDamaged) {
      EXPECT_GE(loaded.counters.epoch, 1003u) << length;
    } else {
      EXPECT_EQ(loaded.counters.epoch, 0u) << length;
    }
    EXPECT_EQ(loaded.health == Health::Good, length == whole.size()) << length;
  }
}

TEST(CounterFile, OneProcessAtATime) {
  const test::TempFolder folder;
  const auto first = CounterFile::open(folder.file("counter"));
  ASSERT_TRUE(first);
  const auto second = CounterFile::open(folder.file("counter"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::Exists);
  EXPECT_NE(second.error().sentence.find("process " + std::to_string(getpid()) + " holds it"),
            std::string::npos)
      << second.error().sentence;
}

TEST(CounterFile, AFullDiskIsARefusal) {
  // /dev/full takes nothing: what a full file system answers.
  const test::TempFolder folder;
  const std::string path = folder.file("counter");
  ASSERT_EQ(symlink("/dev/full", path.c_str()), 0);
  EXPECT_FALSE(CounterFile::open(path));  // no symlinks
  auto file = CounterFile::open("/dev/full");
  if (!file) GTEST_SKIP() << "no /dev/full here";
  Counters c;
  c.generation = 1;
  EXPECT_FALSE(file->store(c));
}

}  // namespace
}  // namespace wattle::keys
