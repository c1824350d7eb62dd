#include "common/os/landlock.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <csignal>
#include <cstring>

#include "common/os/file.h"
#include "tests/unit/common/os/child.h"

namespace wattle {
namespace {

using test::in_child;

constexpr int kNoLandlock = 90;
constexpr int kFailed = 91;

// The errno that `act` leaves in a process under that ruleset; 0 if it succeeded.
int under(const std::vector<os::FolderRight>& folders, bool tcp_connect,
          const std::function<bool()>& act) {
  return in_child([&] {
           if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return kFailed;
           const auto done = os::restrict_self(folders, tcp_connect);
           if (!done) return done.error().code == Errc::Unsupported ? kNoLandlock : kFailed;
           return act() ? 0 : errno;
         })
      .code;
}

class Landlock : public testing::Test {
 protected:
  void SetUp() override {
    if (under({}, false, [] { return true; }) == kNoLandlock)
      GTEST_SKIP() << "this kernel has no Landlock";
    ASSERT_TRUE(os::write_file(inside_.file("there"), as_bytes("x"), 0600));
    ASSERT_TRUE(os::write_file(outside_.file("there"), as_bytes("x"), 0600));
  }
  bool reads(const test::TempFolder& where) {
    return ::open(where.file("there").c_str(), O_RDONLY) >= 0;
  }
  test::TempFolder inside_, outside_;
};

TEST_F(Landlock, WithoutFoldersNoFileCanBeOpened) {
  EXPECT_EQ(under({}, false, [&] { return reads(outside_); }), EACCES);
  EXPECT_EQ(under({}, false, [&] { return ::open("/", O_RDONLY | O_DIRECTORY) >= 0; }), EACCES);
}

TEST_F(Landlock, AFolderIsKeptWithTheRightsItWasGiven) {
  const os::FolderRight read{.path = inside_.path(), .read = true};
  const os::FolderRight write{.path = inside_.path(), .write = true};
  EXPECT_EQ(under({read}, false, [&] { return reads(inside_); }), 0);
  EXPECT_EQ(under({read}, false, [&] { return reads(outside_); }), EACCES);
  const auto writes = [&] {
    return os::write_file(inside_.file("new"), as_bytes("y"), 0600).has_value();
  };
  EXPECT_NE(under({read}, false, writes), 0);
  EXPECT_FALSE(os::exists(inside_.file("new")));
  EXPECT_EQ(under({write}, false, writes), 0);
  EXPECT_EQ(under({write}, false, [&] { return reads(inside_); }), EACCES);
  EXPECT_EQ(under({write}, false,
                  [&] {
                    return ::rename(inside_.file("there").c_str(),
                                    outside_.file("moved").c_str()) == 0;
                  }),
            EACCES);
}

TEST_F(Landlock, NothingIsExecutedNotEvenInTheFolders) {
  const os::FolderRight all{.path = "/", .read = true, .write = true};
  EXPECT_EQ(under({all}, true, [] { return ::execl("/bin/true", "true", nullptr) == 0; }), EACCES);
}

TEST_F(Landlock, AFolderThatIsNotThereGivesNothing) {
  EXPECT_EQ(
      under({{.path = "/nowhere/at/all", .read = true}}, false, [&] { return reads(inside_); }),
      EACCES);
}

TEST_F(Landlock, TcpConnectsOnlyWhereItIsAllowedAndNeverBinds) {
  const auto with = [](auto act) {
    return [act] {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(9);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
      return act(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    };
  };
  EXPECT_EQ(under({}, false, with(::connect)), EACCES);
  EXPECT_NE(under({}, true, with(::connect)), EACCES);
  EXPECT_EQ(under({}, true, with(::bind)), EACCES);
}

TEST_F(Landlock, OtherProcessesGetNoSignal) {
  EXPECT_EQ(under({}, false, [] { return ::kill(::getppid(), 0) == 0; }), EPERM);
  EXPECT_EQ(under({}, false, [] { return ::kill(::getpid(), 0) == 0; }), 0);
}

}  // namespace
}  // namespace wattle
