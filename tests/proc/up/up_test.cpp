// `wattle up` and `wattle down` with real processes: small daemons under the real names, in a world
// of their own.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <csignal>
#include <sstream>

#include "common/os/unix_socket.h"
#include "tests/proc/support/world.h"

namespace wattle {
namespace {

using test::read_all;
using test::run_shell;
using test::wait_until;

constexpr const char* kMemberDaemons[] = {"wattle-cryptod", "wattle-keyd", "wattle-tapd",
                                          "wattle-metad"};

// A value in the last (or n-th) life's report of a daemon.
std::vector<std::string> lives_of(const std::string& program) {
  std::istringstream lines(read_all("/run/fake/" + program));
  std::vector<std::string> out;
  for (std::string line; std::getline(lines, line);) out.push_back(line);
  return out;
}
std::string value_of(const std::string& report, const std::string& key) {
  const std::size_t at = (" " + report).find(" " + key + "=");
  if (at == std::string::npos) return {};
  const std::size_t start = at + key.size() + 1;
  return report.substr(start, report.find(' ', start) - start);
}

class Up : public testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (!test::enter_world(why)) GTEST_SKIP() << why;
    for (const char* folder : {"/etc/wattle", "/etc/wattle/t", "/run/fake"}) ::mkdir(folder, 0755);
    ::chmod("/run/fake", 0777);
    unsigned id = 7101;
    for (const char* part : {"tap", "crypto", "key", "meta", "registry", "signer"})
      test::add_user(std::string("wattle-t-") + part, id++);
    test::add_user("wattle", 7100);
    test::write_text("/etc/wattle/t/member.conf", "name = alice\n");
  }
  void TearDown() override {
    if (foreground_ > 0) {
      ::kill(foreground_, SIGKILL);
      ::waitpid(foreground_, nullptr, 0);
    }
    if (::access("/run/wattle/t/lock", F_OK) == 0) command("down t");
  }

  void script(const std::string& program, const std::string& words) {
    test::write_text("/etc/wattle/t/script." + program, words);
  }

  struct Outcome {
    int code = -1;
    std::string text;
  };
  Outcome command(const std::string& line) {
    Outcome out;
    out.text =
        run_shell(std::string(WATTLE_UP_FOLDER) + "/up-command " + line + " 2>&1; echo code=$?");
    const std::size_t at = out.text.rfind("code=");
    out.code = std::atoi(out.text.c_str() + at + 5);
    return out;
  }

  pid_t start_foreground() {
    foreground_ = ::fork();
    if (foreground_ == 0) {
      const int log = ::open("/run/foreground.log", O_WRONLY | O_CREAT | O_APPEND, 0644);
      ::dup2(log, 2);
      ::execl(WATTLE_UP_FOLDER "/up-command", "wattle", "up", "t", "--foreground", nullptr);
      ::_exit(127);
    }
    return foreground_;
  }
  int end_foreground(int signal = SIGTERM) {
    ::kill(foreground_, signal);
    int status = 0;
    ::waitpid(foreground_, &status, 0);
    foreground_ = -1;
    return status;
  }
  bool log_says(const std::string& text) {
    return wait_until([&] {
      return (read_all("/run/wattle/t/log") + read_all("/run/foreground.log")).find(text) !=
             std::string::npos;
    });
  }
  static int pid_of(const std::string& program) {
    const auto lives = lives_of(program);
    return lives.empty() ? 0 : std::atoi(value_of(lives.back(), "pid").c_str());
  }

  pid_t foreground_ = -1;
};

TEST_F(Up, StartsEveryDaemonAsItselfAndStopsAll) {
  const Outcome up = command("up t");
  ASSERT_EQ(up.code, 0) << up.text;
  const char* uids[] = {"7102", "7103", "7101", "7104"};
  const char* names[] = {"key,meta,tap,", "key,", "tun,", "meta,"};
  const std::string host_net = value_of("net=" + run_shell("readlink -n /proc/self/ns/net"), "net");
  for (int i = 0; i < 4; ++i) {
    const auto lives = lives_of(kMemberDaemons[i]);
    ASSERT_EQ(lives.size(), 1u) << kMemberDaemons[i];
    const std::string& life = lives[0];
    EXPECT_EQ(value_of(life, "args"), "--net,t,");
    EXPECT_EQ(value_of(life, "uid"), uids[i]) << life;
    EXPECT_EQ(value_of(life, "gid"), uids[i]) << life;
    EXPECT_EQ(value_of(life, "groups"), "0") << life;
    EXPECT_EQ(value_of(life, "umask"), "63") << life;  // 077
    EXPECT_EQ(value_of(life, "core"), "0") << life;
    EXPECT_EQ(value_of(life, "names"), names[i]) << life;
    EXPECT_EQ(value_of(life, "fds"), i == 0 ? "3" : "1") << life;
    EXPECT_EQ(
        value_of(life, "variables"),
        "PATH,LANG,LISTEN_PID,LISTEN_FDS,LISTEN_FDNAMES,NOTIFY_SOCKET,WATCHDOG_PID,WATCHDOG_USEC,")
        << life;
    EXPECT_EQ(value_of(life, "net") == host_net, i >= 2)
        << life;  // cryptod and keyd have their own
    const int pid = std::atoi(value_of(life, "pid").c_str());
    const std::string capabilities = i == 2 ? "0000000000001000" : "0000000000000000";
    for (const char* set : {"CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd"})
      EXPECT_EQ(test::status_of(pid, set), capabilities) << set << ' ' << life;
    EXPECT_EQ(test::status_of(pid, "NoNewPrivs"), "1");
  }
  EXPECT_TRUE(lives_of("wattle-registry").empty());
  const auto before = std::chrono::steady_clock::now();
  const Outcome down = command("down t");
  EXPECT_EQ(down.code, 0) << down.text;
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(2));
  for (const char* program : kMemberDaemons) EXPECT_NE(::kill(pid_of(program), 0), 0) << program;
  EXPECT_EQ(run_shell("ls /run/wattle/t | tr '\\n' ' '"), "lock log ");
}

TEST_F(Up, MakesTheSocketsWithTheRightOwners) {
  ASSERT_EQ(command("up t").code, 0);
  EXPECT_EQ(
      run_shell("cd /run/wattle/t && stat -c '%n %a %U %G' crypto.* key meta notify.* . lock log"),
      "crypto.key 660 root wattle-t-key\n"
      "crypto.meta 660 root wattle-t-meta\n"
      "crypto.tap 660 root wattle-t-tap\n"
      "key 660 root wattle-t-meta\n"
      "meta 660 root wattle\n"
      "notify.crypto 600 wattle-t-crypto root\n"
      "notify.key 600 wattle-t-key root\n"
      "notify.meta 600 wattle-t-meta root\n"
      "notify.tap 600 wattle-t-tap root\n"
      ". 755 root root\n"
      "lock 644 root root\n"
      "log 640 root wattle\n");
}

TEST_F(Up, RunsRegistryAndSignerWhereTheRegistryIs) {
  ::unlink("/etc/wattle/t/member.conf");
  test::write_text("/etc/wattle/t/registry.conf", "");
  const Outcome up = command("up t");
  ASSERT_EQ(up.code, 0) << up.text;
  EXPECT_TRUE(lives_of("wattle-metad").empty());
  EXPECT_EQ(value_of(lives_of("wattle-signer").at(0), "names"), "sign,sign.admin,");
  EXPECT_EQ(value_of(lives_of("wattle-registry").at(0), "names"), "https,https,");
  EXPECT_EQ(run_shell("cd /run/wattle/t && stat -c '%n %a %U %G' sign*"),
            "sign 660 root wattle-t-registry\nsign.admin 600 root root\n");
  // The host joins its own network: the running instance takes the new daemons in.
  test::write_text("/etc/wattle/t/member.conf", "name = server\n");
  const int supervisor = std::atoi(read_all("/run/wattle/t/lock").c_str());
  const int registry = pid_of("wattle-registry");
  ::kill(supervisor, SIGHUP);
  for (const char* program : kMemberDaemons)
    EXPECT_TRUE(wait_until([&] { return !lives_of(program).empty(); })) << program;
  EXPECT_EQ(pid_of("wattle-registry"), registry);
  // And leaves it again.
  ::unlink("/etc/wattle/t/member.conf");
  ::kill(supervisor, SIGHUP);
  for (const char* program : kMemberDaemons)
    EXPECT_TRUE(wait_until([&] { return ::kill(pid_of(program), 0) != 0; })) << program;
  EXPECT_EQ(::kill(registry, 0), 0);
}

TEST_F(Up, MakesTheListenersOfTheRegistry) {
  ::unlink("/etc/wattle/t/member.conf");
  run_shell("ip link set lo up");
  test::write_text("/etc/wattle/t/registry.conf",
                   "listen = 127.0.0.1:443  # below 1024\nlisten = 192.0.2.77:443\n");
  const Outcome up = command("up t");
  ASSERT_EQ(up.code, 0) << up.text;
  EXPECT_EQ(value_of(lives_of("wattle-registry").at(0), "names"), "https,");
  EXPECT_TRUE(log_says("this host has no address 192.0.2.77"));
  EXPECT_EQ(command("down t").code, 0);
  for (const char* wrong : {"listen = somewhere\n", "listen = 192.0.2.77:443\n"}) {
    test::write_text("/etc/wattle/t/registry.conf", wrong);
    const Outcome refused = command("up t");
    EXPECT_EQ(refused.code, 78) << refused.text;
    EXPECT_NE(refused.text.find("/etc/wattle/t/registry.conf"), std::string::npos) << refused.text;
  }
}

TEST_F(Up, RestartsAtOnceAndHandsStoredDescriptorsBack) {
  script("wattle-tapd", "store=kept ready wait");
  ASSERT_EQ(command("up t").code, 0);
  const int first = pid_of("wattle-tapd");
  const int metad = pid_of("wattle-metad");
  for (std::size_t life = 2; life <= 3; ++life) {
    ASSERT_EQ(::kill(pid_of("wattle-tapd"), SIGKILL), 0);
    ASSERT_TRUE(wait_until([&] { return lives_of("wattle-tapd").size() == life; })) << life;
    const std::string report = lives_of("wattle-tapd").back();
    EXPECT_EQ(value_of(report, "kept"), std::to_string(first)) << report;
    EXPECT_EQ(value_of(report, "names"), "kept,tun,") << report;
  }
  EXPECT_TRUE(log_says("wattle-tapd was killed by signal 9 (SIGKILL)"));
  EXPECT_EQ(pid_of("wattle-metad"), metad);
}

TEST_F(Up, DaemonsKeepTheirSocketsOverARestart) {
  ASSERT_EQ(command("up t").code, 0);
  // Connected before cryptod's next life accepts: the queue survives.
  ASSERT_EQ(::kill(pid_of("wattle-cryptod"), SIGKILL), 0);
  EXPECT_TRUE(os::connect_lane("/run/wattle/t/crypto.key"));
  EXPECT_TRUE(wait_until([] { return lives_of("wattle-cryptod").size() == 2; }));
  EXPECT_EQ(value_of(lives_of("wattle-cryptod").back(), "names"), "key,meta,tap,");
}

TEST_F(Up, NamesASandboxKill) {
  script("wattle-metad", "ready once=sigsys wait");
  command("up t");
  EXPECT_TRUE(log_says("SIGSYS: it made a system call that its sandbox forbids"));
  EXPECT_TRUE(wait_until([] { return lives_of("wattle-metad").size() == 2; }));
}

TEST_F(Up, TheSecondStartNamesTheHolder) {
  ASSERT_EQ(command("up t").code, 0);
  const std::string holder = read_all("/run/wattle/t/lock");
  const Outcome second = command("up t");
  EXPECT_EQ(second.code, 75);
  EXPECT_NE(second.text.find("process " + holder.substr(0, holder.find('\n')) + " holds"),
            std::string::npos)
      << second.text;
  EXPECT_EQ(command("up t --foreground").code, 75);
  EXPECT_EQ(lives_of("wattle-tapd").size(), 1u);
}

TEST_F(Up, AConfigurationErrorAtTheStartEndsItAndIsShown) {
  script("wattle-tapd", "exit=78");
  const Outcome up = command("up t");
  EXPECT_EQ(up.code, 78) << up.text;
  EXPECT_NE(up.text.find("wattle-tapd cannot start with this configuration"), std::string::npos)
      << up.text;
  EXPECT_NE(up.text.find("ended with exit code 78"), std::string::npos) << up.text;
  EXPECT_EQ(lives_of("wattle-tapd").size(), 1u);
  EXPECT_TRUE(wait_until([&] { return command("down t").code == 3; }));
}

TEST_F(Up, AConfigurationErrorLaterStopsThatDaemonOnly) {
  ASSERT_EQ(command("up t").code, 0);
  script("wattle-tapd", "exit=78");
  ::kill(pid_of("wattle-tapd"), SIGKILL);
  EXPECT_TRUE(log_says("it is not started again before its configuration is changed"));
  EXPECT_EQ(lives_of("wattle-tapd").size(), 2u);
  EXPECT_EQ(::kill(pid_of("wattle-metad"), 0), 0);
  script("wattle-tapd", "ready wait");
  ::kill(std::atoi(read_all("/run/wattle/t/lock").c_str()), SIGHUP);
  EXPECT_TRUE(wait_until([] { return lives_of("wattle-tapd").size() == 3; }));
}

TEST_F(Up, SaysWhichDaemonIsNotReady) {
  script("wattle-keyd", "wait");
  const Outcome up = command("up t");
  EXPECT_EQ(up.code, 7) << up.text;
  EXPECT_NE(up.text.find("not ready within 15 s: wattle-keyd"), std::string::npos) << up.text;
  EXPECT_EQ(command("down t").code, 0);
}

TEST_F(Up, StopsAStubbornDaemonWithinTwoSeconds) {
  script("wattle-metad", "stubborn ready wait");
  start_foreground();
  ASSERT_TRUE(log_says("the network t is up"));
  const auto before = std::chrono::steady_clock::now();
  const int status = end_foreground(SIGINT);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(2));
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_NE(::kill(pid_of("wattle-metad"), 0), 0);
}

TEST_F(Up, DaemonsEndWithTheSupervisor) {
  start_foreground();
  ASSERT_TRUE(log_says("the network t is up"));
  end_foreground(SIGKILL);
  for (const char* program : kMemberDaemons)
    EXPECT_TRUE(wait_until([&] { return ::kill(pid_of(program), 0) != 0; })) << program;
  // Leftovers of the killed instance do not stop the next one.
  EXPECT_EQ(command("up t").code, 0);
}

TEST_F(Up, NobodyElseCanSpeakForADaemon) {
  script("wattle-keyd", "wait");
  start_foreground();
  ASSERT_TRUE(wait_until([] { return !lives_of("wattle-keyd").empty(); }));
  // Root may write to the socket, but it is not keyd.
  const auto socket = os::connect_unix("/run/wattle/t/notify.key", os::SocketKind::Datagram);
  ASSERT_TRUE(socket);
  ASSERT_TRUE(os::send_message(socket->raw(), as_bytes("READY=1\n")));
  EXPECT_FALSE(wait_until(
      [] {
        return read_all("/run/foreground.log").find("wattle-keyd is ready") != std::string::npos;
      },
      std::chrono::milliseconds(500)));
}

TEST_F(Up, RefusalsAreOneSentence) {
  EXPECT_EQ(command("down t").code, 3);
  EXPECT_EQ(command("up").code, 2);
  EXPECT_EQ(command("up NET!").code, 2);
  EXPECT_EQ(command("up t --quick").code, 2);
  const Outcome unknown = command("up other");
  EXPECT_EQ(unknown.code, 4);
  EXPECT_NE(unknown.text.find("neither a member of the network other"), std::string::npos);
  run_shell("sed -i /wattle-t-key/d /etc/passwd");
  const Outcome nobody = command("up t");
  EXPECT_EQ(nobody.code, 78) << nobody.text;
  EXPECT_NE(nobody.text.find("wattle-t-key"), std::string::npos) << nobody.text;
}

TEST_F(Up, AHostWithoutTunIsExit15) {
  run_shell("mount -t tmpfs tmpfs /dev/net");
  const Outcome up = command("up t");
  EXPECT_EQ(up.code, 15) << up.text;
  EXPECT_NE(up.text.find("no usable TUN device"), std::string::npos) << up.text;
}

TEST_F(Up, WithSystemdItCallsSystemctl) {
  run_shell(
      "mkdir -p /run/systemd/system /run/fakebin; : > /run/systemctl.log; chmod 666 "
      "/run/systemctl.log;"
      "printf '#!/bin/sh\\necho \"$@\" >> /run/systemctl.log\\n[ \"$1\" != is-failed ]\\n'"
      " > /run/fakebin/systemctl; chmod 755 /run/fakebin/systemctl;"
      "mount --bind /run/fakebin/systemctl \"$(command -v systemctl)\"");
  EXPECT_EQ(command("up t").code, 0);
  EXPECT_EQ(command("down t").code, 0);
  EXPECT_EQ(read_all("/run/systemctl.log"),
            "enable --now wattle@t.target\n"
            "is-active --quiet wattle-cryptod@t.service\n"
            "is-active --quiet wattle-keyd@t.service\n"
            "is-active --quiet wattle-tapd@t.service\n"
            "is-active --quiet wattle-metad@t.service\n"
            "is-active --quiet wattle@t.target\n"
            "disable --now wattle@t.target\n"
            "stop wattle-*@t.service wattle-*@t.socket\n");
  EXPECT_EQ(command("up t --foreground").code, 75);  // systemd has it
  EXPECT_TRUE(lives_of("wattle-tapd").empty());
}

}  // namespace
}  // namespace wattle
