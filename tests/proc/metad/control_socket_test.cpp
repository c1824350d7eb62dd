// The control socket of a real wattle-metad, as people meet it: nc, another user, a reader that
// does not read, the documented session, and a log level that changes while it runs.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>

#include <regex>

#include "common/os/file.h"
#include "common/os/unix_socket.h"
#include "tests/proc/metad/meta_node.h"

namespace wattle::test {
namespace {

using std::chrono::seconds;
using Strings = std::vector<std::string>;

Strings lines_of(const std::string& text) {
  Strings out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

class ControlSocket : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root: lanes are believed only if root made them";
    one.log_level = "info";
    one.start();
    two.start({"--connect=127.0.0.1:" + std::to_string(one.port)});
    ASSERT_TRUE(lab.until([&] { return one.has_active_link("node2"); })) << one.log_text();
  }
  // What nc shows, as root or as nobody; each line is typed when the one before is answered.
  std::string type(const Strings& lines, bool as_nobody) {
    std::string input;
    for (const std::string& line : lines) input += "printf '%s\\n' '" + line + "'; sleep 0.3; ";
    const std::string who =
        as_nobody ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : std::string();
    chmod(lab.folder.path().c_str(), 0755);
    return lab.shell("{ " + input + "} | " + who + "nc -w 5 -U " + one.socket_path("meta"));
  }
  MetaLab lab;
  MetaNode one{lab, 1}, two{lab, 2};
};

TEST_F(ControlSocket, GradesAreByTheCallersUser) {
  const std::string nobody = type({"ACT CLOSE node2", "REHEARSE node2 PING", "TERMREQ"}, true);
  EXPECT_NE(nobody.find(" grade=rehearse "), std::string::npos) << nobody;
  EXPECT_NE(nobody.find("\nERROR 403 only root may ACT"), std::string::npos) << nobody;
  EXPECT_NE(nobody.find("\nINFO would send link=node2 PONG\nEND\n"), std::string::npos) << nobody;
  EXPECT_TRUE(one.has_active_link("node2"));
  EXPECT_EQ(one.log_text().find("an administrator acts"), std::string::npos);
  const std::string root = type({"ACT CLOSE node2", "TERMREQ"}, false);
  EXPECT_NE(root.find(" grade=act "), std::string::npos) << root;
  EXPECT_NE(root.find("\nINFO did close link=node2\n"), std::string::npos) << root;
  EXPECT_TRUE(lab.until([&] {
    return one.log_text().find("an administrator acts: CLOSE node2") != std::string::npos;
  })) << one.log_text();
}

// T08: what man/wattle-meta.7 shows is what a user sees who types it. Numbers may differ.
TEST_F(ControlSocket, TheDocumentedSessionIsTrue) {
  const auto page = os::read_text(WATTLE_SOURCE_DIR "/man/wattle-meta.7");
  ASSERT_TRUE(page.has_value());
  const std::string start = "$ nc -U /run/wattle/home/meta\n";
  const std::size_t begin = page->find(start);
  ASSERT_NE(begin, std::string::npos);
  const Strings shown = lines_of(
      page->substr(begin + start.size(), page->find("\n.Ed", begin) - begin - start.size()));
  Strings typed, expected;
  for (const std::string& line : shown) {
    const bool answer = std::regex_search(line, std::regex("^(INFO|PONG|END|ERROR)"));
    if (!answer) typed.push_back(std::regex_replace(line, std::regex("\\bbob\\b"), "node2"));
    // What a trace shows comes by itself, and when it likes.
    if (answer && line.find("INFO line ") != 0 && line.find("INFO traced ") != 0)
      expected.push_back(line);
  }
  ASSERT_GE(typed.size(), 8u);
  const auto plain = [](std::string line) {
    for (const auto& [what, with] : std::initializer_list<std::pair<const char*, const char*>>{
             {"\\bbob\\b|\\bnode2\\b", "BOB"},
             {"\\balice\\b|\\bnode1\\b", "ALICE"},
             {"network=[a-z]+", "network=N"},
             {"version=[^ ]+", "version=V"},
             {"[0-9]+", "9"}})
      line = std::regex_replace(line, std::regex(what), with);
    return line;
  };
  Strings seen;
  const std::string said = type(typed, true);
  for (const std::string& line : lines_of(said))
    if (line.find("INFO line ") != 0 && line.find("INFO traced ") != 0) seen.push_back(plain(line));
  for (std::string& line : expected) line = plain(line);
  EXPECT_EQ(seen, expected) << said;
}

TEST_F(ControlSocket, ATraceShowsLinesAsTheyComeAndGo) {
  const std::string said = lab.shell(
      "{ echo TRACE node2; sleep 0.5; printf 'ACT node2 PING\\n' | nc -N -w 2 -U " +
      one.socket_path("meta") + " >/dev/null; sleep 0.5; echo; sleep 0.3; } | nc -w 5 -U " +
      one.socket_path("meta"));
  EXPECT_TRUE(
      std::regex_search(said, std::regex("INFO line link=node2 dir=in at=[0-9]{13} PING\n"
                                         "INFO line link=node2 dir=out at=[0-9]{13} PONG\n")))
      << said;
  EXPECT_TRUE(std::regex_search(said, std::regex("INFO traced lines=[0-9]+ lost=0\nEND\n")))
      << said;
}

// A reader that stands still costs a bounded amount, misses lines, is told so, and stops nobody.
TEST_F(ControlSocket, ASlowReaderOfATraceLosesLinesAndIsTold) {
  auto slow = WATTLE_MUST(os::connect_unix(one.socket_path("meta"), os::SocketKind::Stream));
  ASSERT_EQ(send(slow.raw(), "TRACE\n", 6, MSG_NOSIGNAL), 6);
  auto busy = WATTLE_MUST(os::connect_unix(one.socket_path("meta"), os::SocketKind::Stream));
  const std::string line = "ACT node2 STATUS 1 " + std::string(1900, 'x') + "\n";
  std::size_t sent = 0, answers = 0;
  const std::size_t kLines = 600;  // more than 1 MB
  ASSERT_TRUE(lab.until([&] {
    if (sent < kLines && sent < answers + 8 &&
        send(busy.raw(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT) ==
            static_cast<ssize_t>(line.size()))
      ++sent;
    char chunk[16384];
    const ssize_t size = recv(busy.raw(), chunk, sizeof chunk, MSG_DONTWAIT);
    for (ssize_t i = 0; i + 3 < size; ++i)
      if (std::string_view(chunk + i, 4) == "END\n") ++answers;
    return answers >= kLines - 8;
  })) << answers
      << " of " << sent;
  // Everybody else is served meanwhile.
  EXPECT_EQ(one.ask("PING"), Strings{"PONG"});
  std::string got;
  ASSERT_EQ(send(slow.raw(), "\n", 1, MSG_NOSIGNAL), 1);
  ASSERT_TRUE(lab.until([&] {
    char chunk[65536];
    const ssize_t size = recv(slow.raw(), chunk, sizeof chunk, MSG_DONTWAIT);
    if (size > 0) got.append(chunk, static_cast<std::size_t>(size));
    return got.ends_with("END\n");
  })) << got.size();
  EXPECT_TRUE(std::regex_search(got.substr(got.size() - 200),
                                std::regex("INFO traced lines=[0-9]+ lost=[1-9][0-9]*\nEND\n$")))
      << got.substr(got.size() - 200);
  EXPECT_LT(got.size(), 1024u * 1024u);
}

TEST_F(ControlSocket, TheLogLevelChangesWhileItRuns) {
  const auto says = [&](const char* what) {
    return one.log_text().find(what) != std::string::npos;
  };
  EXPECT_FALSE(says("debug metad: ")) << one.log_text();
  ASSERT_EQ(kill(one.pid, SIGUSR1), 0);
  EXPECT_TRUE(lab.until([&] { return says("notice metad: the log level is debug\n"); }));
  one.ask("DUMP PEERS");  // a message to cryptod
  EXPECT_TRUE(lab.until([&] { return says("debug metad: says lane=crypto.meta msg=ListPeers"); }))
      << one.log_text();
  ASSERT_EQ(kill(one.pid, SIGUSR2), 0);
  ASSERT_TRUE(
      lab.until([&] { return says("notice metad: the log level is the configured one again\n"); }));
  const std::string before = one.log_text();
  one.ask("DUMP PEERS");
  one.ask("PING");
  const std::string after = one.log_text().substr(before.size());
  EXPECT_EQ(after.find("debug metad: "), std::string::npos) << after;
  EXPECT_TRUE(one.has_active_link("node2")) << "nothing was restarted";
}

}  // namespace
}  // namespace wattle::test
