#include "common/os/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <algorithm>
#include <csignal>

#include "common/os/clock.h"
#include "common/os/paths.h"
#include "common/os/random.h"
#include "tests/unit/common/os/child.h"

namespace wattle::os {
namespace {

class FileTest : public ::testing::Test {
 protected:
  test::TempFolder folder;
  const std::string path = folder.file("file");
  static struct stat look(const std::string& where) {
    struct stat info {};
    EXPECT_EQ(lstat(where.c_str(), &info), 0) << where;
    return info;
  }
};

TEST_F(FileTest, WritesAndReads) {
  const Bytes bytes(100000, 7);
  ASSERT_TRUE(write_file(path, bytes, 0640));
  EXPECT_EQ(read_file(path, 100000).value(), bytes);
  EXPECT_EQ(look(path).st_mode & 07777, 0640u);
  EXPECT_FALSE(exists(path + ".new"));
}

TEST_F(FileTest, ModeDoesNotDependOnTheUmask) {
  const mode_t before = umask(077);
  EXPECT_TRUE(write_file(path, as_bytes("x"), 0644));
  EXPECT_TRUE(make_folder(folder.file("d"), 0755));
  umask(before);
  EXPECT_EQ(look(path).st_mode & 07777, 0644u);
  EXPECT_EQ(look(folder.file("d")).st_mode & 07777, 0755u);
}

TEST_F(FileTest, SetsTheOwner) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_TRUE(write_file(path, as_bytes("x"), 0400, 1234, 2345));
  EXPECT_EQ(look(path).st_uid, 1234u);
  EXPECT_EQ(look(path).st_gid, 2345u);
  ASSERT_TRUE(make_folder(folder.file("a/b/c"), 0700, 1234, 2345));
  EXPECT_EQ(look(folder.file("a/b/c")).st_uid, 1234u);
  EXPECT_EQ(look(folder.file("a/b/c")).st_mode & 07777, 0700u);
  EXPECT_EQ(look(folder.file("a/b")).st_uid, 0u);
}

// A reader sees the old file or the new one, never a part.
TEST_F(FileTest, ReplacementIsAtomicForReaders) {
  ASSERT_TRUE(write_file(path, Bytes(50000, 0), 0644));
  const pid_t writer = fork();
  if (writer == 0) {
    for (std::uint8_t i = 1; i < 200; ++i)
      if (!write_file(path, Bytes(50000, i), 0644)) _exit(1);
    _exit(0);
  }
  bool done = false;
  while (!done) {
    int status = 0;
    done = waitpid(writer, &status, WNOHANG) == writer;
    EXPECT_EQ(done ? status : 0, 0);
    const Bytes seen = read_file(path, 60000).value();
    ASSERT_EQ(seen.size(), 50000u);
    ASSERT_EQ(seen, Bytes(50000, seen[0]));
  }
  EXPECT_EQ(read_file(path, 60000).value()[0], 199);
}

TEST_F(FileTest, AFailedWriteLeavesTheOldFileAlone) {
  ASSERT_TRUE(write_file(path, as_bytes("old"), 0644));
  const auto end = test::in_child([&] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit small{1000, 1000};
    if (setrlimit(RLIMIT_FSIZE, &small) != 0) return 2;
    return write_file(path, Bytes(5000, 1), 0644) ? 3 : 0;
  });
  EXPECT_EQ(end.code, 0);
  EXPECT_EQ(read_text(path).value(), "old");
  EXPECT_FALSE(exists(path + ".new"));
}

TEST_F(FileTest, ALeftOverOrAPlantedLinkIsReplacedNotFollowed) {
  const std::string victim = folder.file("victim");
  ASSERT_TRUE(write_file(victim, as_bytes("mine"), 0644));
  ASSERT_EQ(symlink(victim.c_str(), (path + ".new").c_str()), 0);
  ASSERT_TRUE(write_file(path, as_bytes("new"), 0644));
  EXPECT_EQ(read_text(victim).value(), "mine");
  EXPECT_EQ(read_text(path).value(), "new");
  EXPECT_TRUE(S_ISREG(look(path).st_mode));
}

TEST_F(FileTest, ReadErrors) {
  EXPECT_EQ(read_file(path, 10).error().code, Errc::NotFound);
  ASSERT_TRUE(write_file(path, Bytes(11, 1), 0644));
  EXPECT_EQ(read_file(path, 10).error().code, Errc::Full);
  EXPECT_EQ(read_file(path, 11).value().size(), 11u);
  EXPECT_EQ(read_file(folder.path(), 10).error().code, Errc::System);
  const std::string fifo = folder.file("fifo");
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_FALSE(read_file(fifo, 10));  // and does not hang
}

TEST_F(FileTest, WriteErrorsNameThePath) {
  const auto result = write_file(folder.file("no/such/file"), as_bytes("x"), 0644);
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().sentence.find(folder.file("no/such/file")), std::string::npos);
}

TEST_F(FileTest, MakeFolderDoesNotFollowALink) {
  ASSERT_EQ(symlink("/etc", folder.file("link").c_str()), 0);
  EXPECT_FALSE(make_folder(folder.file("link"), 0700));
  ASSERT_TRUE(write_file(path, as_bytes("x"), 0644));
  EXPECT_FALSE(make_folder(path, 0700));
}

TEST(Paths, FollowTheNetwork) {
  const Paths paths("home");
  EXPECT_EQ(paths.config(), "/etc/wattle/home/wattle.conf");
  EXPECT_EQ(paths.state, "/var/lib/wattle/home");
  EXPECT_EQ(Paths("home", "/tmp/r").run, "/tmp/r/run/wattle/home");
  EXPECT_EQ(user_name("home", "meta"), "wattle-home-meta");
}

TEST(Fd, OwnsItsDescriptor) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const auto is_open = [](int fd) { return fcntl(fd, F_GETFD) >= 0; };
  {
    Fd a(ends[0]);
    Fd b(std::move(a));
    EXPECT_FALSE(a.is_open());  // NOLINT: what a moved-from one says is the point
    Fd c(ends[1]);
    c = std::move(b);
    EXPECT_FALSE(is_open(ends[1]));
    EXPECT_TRUE(is_open(ends[0]));
  }
  EXPECT_FALSE(is_open(ends[0]));
}

TEST(Clock, MovesForward) {
  const Instant first = now();
  EXPECT_LE(first, now());
  EXPECT_LE(unix_now_ms() / 1000 - unix_now().seconds, 1u);
  EXPECT_GT(unix_now().seconds, 1700000000u);
}

TEST(SystemRandom, FillsEverything) {
  SystemRandom random;
  Bytes bytes(1000);
  random.fill(bytes);
  EXPECT_LT(std::count(bytes.begin(), bytes.end(), 0), 40);
  random.fill({});
}

}  // namespace
}  // namespace wattle::os
