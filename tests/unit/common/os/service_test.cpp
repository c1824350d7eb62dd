#include "common/os/service.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/os/unix_socket.h"
#include "tests/unit/common/os/child.h"

namespace wattle::os {
namespace {

// In a child whose descriptors from 3 on are `count` pipes' reading ends.
test::Ending with_passed(int count, const std::string& names, const std::function<int()>& body,
                         const char* pid = nullptr) {
  return test::in_child([&] {
    for (int i = 0; i < count; ++i) {
      int ends[2];
      if (pipe(ends) != 0 || fcntl(ends[0], F_DUPFD, 100) < 0) return 90;
    }
    for (int i = 0; i < count; ++i)
      if (dup2(100 + i, 3 + i) < 0) return 91;
    setenv("LISTEN_PID", pid != nullptr ? pid : std::to_string(getpid()).c_str(), 1);
    setenv("LISTEN_FDS", std::to_string(count).c_str(), 1);
    if (!names.empty()) setenv("LISTEN_FDNAMES", names.c_str(), 1);
    return body();
  });
}

TEST(Service, HandsOutDescriptorsByName) {
  const auto end = with_passed(4, "tap:meta:tap:key", [] {
    auto service = Service::open();
    if (!service) return 1;
    auto tap = service->take("tap");
    if (!tap || tap->raw() != 3) return 2;
    if ((fcntl(3, F_GETFD) & FD_CLOEXEC) == 0 || (fcntl(3, F_GETFL) & O_NONBLOCK) == 0) return 3;
    if (service->names() != std::vector<std::string>{"key", "meta", "tap"}) return 4;
    if (service->take_all("tap").size() != 1) return 5;
    const auto none = service->take("tap");
    if (none || none.error().code != Errc::NotFound) return 6;
    if (none.error().sentence.find("'tap'") == std::string::npos) return 7;
    if (getenv("LISTEN_FDS") || getenv("LISTEN_PID") || getenv("LISTEN_FDNAMES")) return 8;
    return 0;
  });
  EXPECT_TRUE(end.exited);
  EXPECT_EQ(end.code, 0);
}

TEST(Service, DescriptorsForAnotherProcessAreNotOurs) {
  const auto end = with_passed(
      1, "tap", [] { return Service::open()->names().empty() ? 0 : 1; }, "1");
  EXPECT_EQ(end.code, 0);
}

TEST(Service, WithoutNamesTheyAreUnknown) {
  const auto end =
      with_passed(2, "", [] { return Service::open()->take_all("unknown").size() == 2 ? 0 : 1; });
  EXPECT_EQ(end.code, 0);
}

TEST(Service, APromisedDescriptorThatIsNotThereIsAnError) {
  const auto end = with_passed(1, "tap", [] {
    setenv("LISTEN_FDS", "200", 1);
    const auto service = Service::open();
    return !service && service.error().code == Errc::Config ? 0 : 1;
  });
  EXPECT_EQ(end.code, 0);
  const auto nonsense = with_passed(1, "tap", [] {
    setenv("LISTEN_FDS", "many", 1);
    return Service::open() ? 1 : 0;
  });
  EXPECT_EQ(nonsense.code, 0);
}

TEST(Service, NothingGivenIsFine) {
  const auto end = test::in_child([] {
    for (const char* name : {"LISTEN_FDS", "NOTIFY_SOCKET", "WATCHDOG_USEC"}) unsetenv(name);
    auto service = Service::open();
    if (!service || service->watchdog_us() != 0) return 1;
    service->ready();
    service->store("x", 0);
    return 0;
  });
  EXPECT_EQ(end.code, 0);
}

TEST(Service, SpeaksToTheNotifySocket) {
  const test::TempFolder folder;
  const Fd listener = listen_unix(folder.file("n"), SocketKind::Datagram, 0666).value();
  const auto end = test::in_child([&] {
    setenv("NOTIFY_SOCKET", folder.file("n").c_str(), 1);
    setenv("WATCHDOG_USEC", "30000000", 1);
    auto service = Service::open();
    if (!service || service->watchdog_us() != 30000000 || getenv("NOTIFY_SOCKET")) return 1;
    service->ready();
    service->status("2 peers\nREADY=0");
    service->store("tap0", STDOUT_FILENO);
    service->watchdog();
    return 0;
  });
  EXPECT_EQ(end.code, 0);
  EXPECT_EQ(as_text(receive_message(listener.raw(), 1000)->bytes), "READY=1\n");
  EXPECT_EQ(as_text(receive_message(listener.raw(), 1000)->bytes), "STATUS=2 peers READY=0\n");
  const auto stored = receive_message(listener.raw(), 1000).value();
  EXPECT_EQ(as_text(stored.bytes), "FDSTORE=1\nFDPOLL=0\nFDNAME=tap0\n");
  EXPECT_EQ(stored.descriptors.size(), 1u);
  EXPECT_EQ(as_text(receive_message(listener.raw(), 1000)->bytes), "WATCHDOG=1\n");
}

TEST(Service, AWatchdogOfAnotherProcessIsNotOurs) {
  const auto end = test::in_child([] {
    setenv("WATCHDOG_USEC", "5", 1);
    setenv("WATCHDOG_PID", "1", 1);
    return Service::open()->watchdog_us() == 0 ? 0 : 1;
  });
  EXPECT_EQ(end.code, 0);
}

TEST(Service, AbstractNotifySocket) {
  const Fd listener(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const std::string name = "wattle-test-" + std::to_string(getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  ASSERT_EQ(bind(listener.raw(), reinterpret_cast<const sockaddr*>(&address),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())),
            0);
  const auto end = test::in_child([&] {
    setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
    auto service = Service::open();
    if (!service) return 1;
    service->ready();
    return 0;
  });
  EXPECT_EQ(end.code, 0);
  EXPECT_EQ(as_text(receive_message(listener.raw(), 1000)->bytes), "READY=1\n");
}

TEST(Service, ABadNotifySocketIsAnError) {
  const auto end = test::in_child([] {
    setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
    const auto service = Service::open();
    return !service && service.error().code == Errc::Config ? 0 : 1;
  });
  EXPECT_EQ(end.code, 0);
}

}  // namespace
}  // namespace wattle::os
