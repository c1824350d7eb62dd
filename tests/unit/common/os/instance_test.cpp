#include "common/os/instance.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include "common/os/file.h"
#include "common/os/service.h"
#include "tests/unit/common/os/child.h"

namespace wattle::os {
namespace {

class Instance : public ::testing::Test {
 protected:
  // As `wattle up` does: the lock held, the pid in the file.
  Fd hold(const std::string& pid) {
    Fd fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    EXPECT_EQ(::flock(fd.raw(), LOCK_EX | LOCK_NB), 0);
    EXPECT_EQ(::ftruncate(fd.raw(), 0), 0);
    EXPECT_EQ(::pwrite(fd.raw(), pid.data(), pid.size(), 0), static_cast<ssize_t>(pid.size()));
    return fd;
  }
  test::TempFolder folder_;
  std::string path_ = folder_.file("lock");
  std::string run_ = path_.substr(0, path_.rfind('/'));
};

TEST_F(Instance, NobodyHoldsIt) {
  EXPECT_EQ(find_holder(path_).error().code, Errc::NotFound);
  EXPECT_TRUE(refuse_second(run_));
  { const Fd held = hold("1\n"); }
  EXPECT_EQ(find_holder(path_).error().code, Errc::NotFound);  // the file stays, the lock is gone
  EXPECT_TRUE(refuse_second(run_));
}

TEST_F(Instance, ADaemonStartedByHandIsToldWhoHoldsIt) {
  const Fd held = hold(std::to_string(::getpid()) + "\n");
  const auto holder = find_holder(path_);
  ASSERT_TRUE(holder);
  EXPECT_EQ(holder->pid, ::getpid());
  const auto refused = refuse_second(run_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::Exists);
  EXPECT_NE(refused.error().text().find("process " + std::to_string(::getpid()) + " holds"),
            std::string::npos);
  EXPECT_EQ(exit_code(refused.error()), 75);
  // The holder's own children are its daemons.
  EXPECT_EQ(test::in_child([&] { return refuse_second(run_) ? 0 : 1; }).code, 0);
  EXPECT_EQ(test::in_child([&] { return Service::open(run_) ? 0 : 1; }).code, 0);
  // Its grandchildren are somebody's experiments.
  const auto grandchild = test::in_child([&] {
    return test::in_child([&] {
             const auto service = Service::open(run_);
             return service ? 0 : exit_code(service.error());
           })
        .code;
  });
  EXPECT_EQ(grandchild.code, 75);
}

TEST_F(Instance, OneThatJustComesOrGoesIsNoHolderYet) {
  const Fd held = hold("");
  EXPECT_EQ(find_holder(path_).error().code, Errc::Again);
  EXPECT_TRUE(refuse_second(run_));
}

TEST_F(Instance, ALockedFileNamesItsHolder) {
  const Fd first(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  const Fd second(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_TRUE(lock_file(first.raw(), path_));
  EXPECT_TRUE(lock_file(first.raw(), path_));  // it is ours
  const auto refused = lock_file(second.raw(), path_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::Exists);
  EXPECT_EQ(refused.error().text(),
            path_ + " is in use: process " + std::to_string(::getpid()) + " holds it");
}

TEST(FindFlock, ReadsTheKernelsTable) {
  const std::string locks =
      "1: POSIX  ADVISORY  WRITE 11 00:2b:99 0 EOF\n"
      "2: FLOCK  ADVISORY  WRITE 12 00:2b:199 0 EOF\n"
      "3: FLOCK  ADVISORY  WRITE 13 00:2b:99 0 EOF\n"
      "3: -> FLOCK  ADVISORY  WRITE 14 00:2b:98 0 EOF\n";
  EXPECT_EQ(find_flock(locks, 99), 13);
  EXPECT_EQ(find_flock(locks, 199), 12);
  EXPECT_EQ(find_flock(locks, 98), 0);
  EXPECT_EQ(find_flock("", 99), 0);
  EXPECT_EQ(find_flock("1: FLOCK x\n\n: :", 99), 0);
  EXPECT_EQ(find_flock("1: FLOCK  ADVISORY  WRITE -1 00:2b:99 0 EOF", 99), 0);
}

TEST(ExitCode, SaysWhatToDo) {
  EXPECT_EQ(exit_code(Error(Errc::Config, "x")), 78);
  EXPECT_EQ(exit_code(Error(Errc::Exists, "x")), 75);
  EXPECT_EQ(exit_code(Error(Errc::System, "x")), 1);
}

}  // namespace
}  // namespace wattle::os
