// The supervisor's parts that need no processes: when it starts again, what it stores, what it is
// told, the lock.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <csignal>
#include <fstream>

#include "common/os/unix_socket.h"
#include "metad/ctl/up_daemon.h"
#include "metad/ctl/up_lock.h"
#include "metad/ctl/up_log.h"
#include "metad/ctl/up_notify.h"
#include "metad/ctl/up_plan.h"
#include "metad/ctl/up_restart.h"
#include "metad/ctl/up_store.h"

namespace wattle::ctl {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Instant at(Duration since) { return Instant{} + since; }

TEST(RestartPolicy, AtOnceThenSlowerUpToFiveSeconds) {
  RestartPolicy policy;
  const int expected[] = {0, 100, 200, 400, 800, 1600, 3200, 5000, 5000};
  for (const int ms : expected)
    EXPECT_EQ(policy.on_end(at(seconds(1)), at(seconds(2))), milliseconds(ms));
}

TEST(RestartPolicy, ALongLifeBeginsAnew) {
  RestartPolicy policy;
  for (int i = 0; i < 5; ++i) policy.on_end(at(seconds(0)), at(seconds(1)));
  EXPECT_EQ(policy.on_end(at(seconds(10)), at(milliseconds(14'999))), milliseconds(1600));
  EXPECT_EQ(policy.on_end(at(seconds(20)), at(seconds(25))), Duration::zero());
  EXPECT_EQ(policy.on_end(at(seconds(30)), at(seconds(31))), milliseconds(100));
  policy.reset();
  EXPECT_EQ(policy.on_end(at(seconds(40)), at(seconds(41))), Duration::zero());
}

os::Fd some_file() { return os::Fd(::memfd_create("x", MFD_CLOEXEC)); }
bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

TEST(DescriptorStore, TheNewestOfANameWinsAndTheOldOneIsClosed) {
  DescriptorStore store;
  os::Fd first = some_file();
  const int old = first.raw();
  ASSERT_TRUE(store.put("tap0", std::move(first)));
  os::Fd second = some_file();
  const int kept = second.raw();
  ASSERT_TRUE(store.put("tap0", std::move(second)));
  EXPECT_FALSE(is_open(old));
  EXPECT_TRUE(is_open(kept));
  EXPECT_EQ(store.held().size(), 1u);
  store.remove("tap0");
  EXPECT_FALSE(is_open(kept));
  EXPECT_FALSE(store.holds("tap0"));
  store.remove("tap0");
}

TEST(DescriptorStore, IsBounded) {
  DescriptorStore store;
  for (std::size_t i = 0; i < DescriptorStore::kMax; ++i)
    EXPECT_TRUE(store.put("fd" + std::to_string(i), some_file()));
  os::Fd extra = some_file();
  const int raw = extra.raw();
  EXPECT_FALSE(store.put("one.more", std::move(extra)));
  EXPECT_FALSE(is_open(raw));
  EXPECT_TRUE(store.put("fd3", some_file()));  // replacing needs no room
  EXPECT_EQ(store.held().size(), DescriptorStore::kMax);
}

TEST(Notification, ReadsTheKnownWords) {
  const auto ready = parse_notification("READY=1\nSTATUS=device wt-home\nX_OTHER=1\n");
  ASSERT_TRUE(ready);
  EXPECT_TRUE(ready->ready);
  EXPECT_FALSE(ready->watchdog);
  EXPECT_EQ(ready->status, "device wt-home");
  const auto store = parse_notification("FDSTORE=1\nFDPOLL=0\nFDNAME=udp4");
  ASSERT_TRUE(store);
  EXPECT_TRUE(store->store);
  EXPECT_EQ(store->name, "udp4");
  EXPECT_TRUE(parse_notification("WATCHDOG=1")->watchdog);
  EXPECT_TRUE(parse_notification("FDSTOREREMOVE=1\nFDNAME=a")->remove);
  EXPECT_FALSE(parse_notification("READY=10")->ready);
  EXPECT_FALSE(parse_notification("")->ready);
}

TEST(Notification, NamesGoIntoAnEnvironmentVariable) {
  for (const char* bad : {"FDNAME=", "FDNAME=a:b", "FDNAME=a b", "FDNAME=\x80"})
    EXPECT_FALSE(parse_notification(bad)) << bad;
  EXPECT_FALSE(parse_notification("FDNAME=" + std::string(65, 'a')));
  EXPECT_TRUE(parse_notification("FDNAME=" + std::string(64, 'a')));
}

TEST(Notification, StatusIsPrintableAndShort) {
  EXPECT_EQ(parse_notification("STATUS=a\033[2Jb")->status, "a?[2Jb");
  EXPECT_EQ(parse_notification("STATUS=" + std::string(3000, 'x'))->status->size(), 200u);
}

class InFolder : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/wattle-up-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override {
    for (const char* file : {"/n", "/lock", "/log", "/log.1"}) ::unlink((folder_ + file).c_str());
    ::rmdir(folder_.c_str());
  }
  std::string folder_;
};

TEST_F(InFolder, NotificationsCarryTheSendersPidAndDescriptors) {
  const std::string path = folder_ + "/n";
  auto socket = os::listen_unix(path, os::SocketKind::Datagram, 0600);
  ASSERT_TRUE(socket);
  auto listening = open_notify_socket(path, ::getuid());
  if (!listening) GTEST_SKIP() << listening.error().text();
  const auto sender = os::connect_unix(path, os::SocketKind::Datagram);
  ASSERT_TRUE(sender);
  EXPECT_EQ(receive_notification(listening->raw()).error().code, Errc::Again);
  const os::Fd file = some_file();
  ASSERT_TRUE(os::send_message(sender->raw(), as_bytes("FDSTORE=1\nFDNAME=f"), {file.raw()}));
  const auto got = receive_notification(listening->raw());
  ASSERT_TRUE(got);
  EXPECT_EQ(got->pid, ::getpid());
  EXPECT_EQ(got->descriptors.size(), 1u);
  // Too large, and too many descriptors: dropped, the next one is heard.
  ASSERT_TRUE(os::send_message(sender->raw(), as_bytes(std::string(5000, 'a'))));
  EXPECT_EQ(receive_notification(listening->raw()).error().code, Errc::BadValue);
  const int raw = file.raw();
  ASSERT_TRUE(os::send_message(sender->raw(), as_bytes("FDSTORE=1"), std::vector<int>(8, raw)));
  EXPECT_EQ(receive_notification(listening->raw()).error().code, Errc::BadValue);
  ASSERT_TRUE(os::send_message(sender->raw(), as_bytes("READY=1")));
  EXPECT_TRUE(receive_notification(listening->raw())->what.ready);
}

TEST_F(InFolder, OneHolderOfTheLock) {
  const std::string path = folder_ + "/lock";
  EXPECT_EQ(os::find_holder(path).error().code, Errc::NotFound);
  {
    auto lock = InstanceLock::take(path, "home");
    ASSERT_TRUE(lock) << lock.error().text();
    ASSERT_TRUE(lock->write_pid());
    const auto second = InstanceLock::take(path, "home");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, Errc::Exists);
    EXPECT_NE(second.error().text().find("process " + std::to_string(::getpid())),
              std::string::npos);
    const auto holder = os::find_holder(path);
    ASSERT_TRUE(holder);
    EXPECT_EQ(holder->pid, ::getpid());
  }
  EXPECT_EQ(os::find_holder(path).error().code,
            Errc::NotFound);  // the file stays, the lock is gone
  EXPECT_TRUE(InstanceLock::take(path, "home"));
}

TEST_F(InFolder, TheLogIsBoundedAndKeepsTheFormerPart) {
  const std::string path = folder_ + "/log";
  const os::Fd log(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640));
  const std::string line(1023, 'x');
  for (std::int64_t size = 0; size <= kMaxLog; size += 1024)
    ASSERT_EQ(::dprintf(log.raw(), "%s\n", line.c_str()), 1024);
  const std::int64_t full = log_size(path);
  trim_log(log.raw(), path + ".1");
  EXPECT_EQ(log_size(path), 0);
  EXPECT_EQ(log_size(path + ".1"), full);
  ::dprintf(log.raw(), "first\nsecond\n");
  EXPECT_EQ(read_log_since(path, 0), "first\nsecond\n");
  EXPECT_EQ(read_log_since(path, 6), "second\n");
  trim_log(log.raw(), path + ".1");  // small: nothing happens
  EXPECT_EQ(log_size(path), 13);
}

TEST(DaemonLimit, ReadyThenWatchdogThenStop) {
  Daemon daemon(all_daemons()[0]);
  daemon.started = at(seconds(100));
  EXPECT_EQ(daemon.limit(seconds(90)), at(seconds(190)));
  daemon.ready = true;
  daemon.alive_at = at(seconds(120));
  EXPECT_EQ(daemon.limit(seconds(90)), at(seconds(150)));
  daemon.unwant(at(seconds(130)));
  EXPECT_EQ(daemon.limit(seconds(90)), at(milliseconds(131'500)));
}

TEST(DaemonLimit, WantedAgainAfterAConfigurationError) {
  Daemon daemon(all_daemons()[0]);
  daemon.given_up = true;
  EXPECT_FALSE(daemon.wants_start(at(seconds(5))));
  daemon.want(at(seconds(5)));
  EXPECT_TRUE(daemon.wants_start(at(seconds(5))));
  daemon.start_at = at(seconds(6));
  EXPECT_FALSE(daemon.wants_start(at(seconds(5))));
}

TEST(DescribeEnd, SaysExitCodeAndSignal) {
  EXPECT_EQ(describe_end(3 << 8), "ended with exit code 3");
  EXPECT_EQ(describe_end(SIGKILL), "was killed by signal 9 (SIGKILL)");
  EXPECT_NE(describe_end(SIGSYS).find("sandbox"), std::string::npos);
}

TEST(Plan, TheEnvironmentIsCleanAndNamed) {
  const auto variables = make_environment({{"tap", "meta"}, "/run/n", 5}, 42);
  const std::vector<std::string> expected = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                                             "LANG=C.UTF-8",
                                             "LISTEN_PID=42",
                                             "LISTEN_FDS=2",
                                             "LISTEN_FDNAMES=tap:meta",
                                             "NOTIFY_SOCKET=/run/n",
                                             "WATCHDOG_PID=42",
                                             "WATCHDOG_USEC=5"};
  for (const std::string& variable : expected)
    EXPECT_NE(std::find(variables.begin(), variables.end(), variable), variables.end()) << variable;
}

TEST(Plan, OnlyTapdMayAdministrateTheNetwork) {
  for (const DaemonPlan& plan : all_daemons()) {
    EXPECT_EQ(plan.net_admin, plan.program == "wattle-tapd");
    const bool alone = plan.part != "tap" && plan.part != "meta";
    EXPECT_EQ(plan.own_network, alone) << plan.program;
  }
}

std::string unit_text(const std::string& name) {
  std::ifstream file(WATTLE_SOURCE_DIR "/systemd/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}
bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

// systemd's units and `wattle up` give every daemon the same.
TEST(Plan, TheUnitsSayTheSame) {
  std::string sockets;
  for (const char* name :
       {"cryptod-tap", "cryptod-meta", "cryptod-key", "keyd", "metad", "signer", "signer-admin"})
    sockets += unit_text("wattle-" + std::string(name) + "@.socket");
  const std::string target = unit_text("wattle@.target");
  for (const DaemonPlan& plan : all_daemons()) {
    const std::string program(plan.program);
    const std::string unit = unit_text(program + "@.service");
    EXPECT_TRUE(has_line(unit, "User=wattle-%i-" + std::string(plan.part))) << program;
    const std::string verb = plan.verb.empty() ? "" : std::string(plan.verb) + " ";
    EXPECT_TRUE(has_line(unit, "ExecStart=/usr/sbin/" + program + " " + verb + "--net %i"))
        << program;
    EXPECT_EQ(has_line(unit, "PrivateNetwork=yes"), plan.own_network) << program;
    EXPECT_EQ(has_line(unit, "AmbientCapabilities=CAP_NET_ADMIN"), plan.net_admin) << program;
    EXPECT_EQ(has_line(unit, "CapabilityBoundingSet="), !plan.net_admin) << program;
    EXPECT_TRUE(has_line(unit, std::string("ConditionPathExists=/etc/wattle/%i/") +
                                   (plan.of_member ? "member.conf" : "registry.conf")))
        << program;
    EXPECT_TRUE(has_line(unit, "RestartPreventExitStatus=78")) << program;
    EXPECT_NE(target.find(program + "@%i.service"), std::string::npos) << program;
    EXPECT_EQ(has_line(unit_text(program + "@.socket"), "FileDescriptorName=https"), plan.https);
    for (const SocketPlan& socket : plan.sockets) {
      const std::string caller = socket.caller == "root" ? "root"
                                 : socket.caller == "look"
                                     ? "wattle"
                                     : "wattle-%i-" + std::string(socket.caller);
      const std::string lines =
          std::string(socket.kind == os::SocketKind::Stream ? "ListenStream"
                                                            : "ListenSequentialPacket") +
          "=/run/wattle/%i/" + std::string(socket.file) +
          "\nFileDescriptorName=" + std::string(socket.name) +
          "\nSocketUser=root\nSocketGroup=" + caller +
          "\nSocketMode=" + (socket.caller == "root" ? "0600" : "0660") + "\n";
      EXPECT_NE(sockets.find(lines), std::string::npos) << lines;
    }
  }
}

}  // namespace
}  // namespace wattle::ctl
