#include "common/os/log.h"

#include <gtest/gtest.h>
#include <signal.h>

#include "common/os/file.h"
#include "tests/unit/common/os/child.h"

namespace wattle::os {
namespace {

// What a child that runs `body` writes to stderr.
std::string logged(const std::function<void()>& body, bool journal = false) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const auto end = test::in_child([&] {
    dup2(ends[1], STDERR_FILENO);
    if (journal)
      setenv("JOURNAL_STREAM", "1:2", 1);
    else
      unsetenv("JOURNAL_STREAM");
    log::open("test");
    body();
    return 0;
  });
  EXPECT_TRUE(end.exited);
  close(ends[1]);
  std::string out;
  char buffer[65536];
  for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) > 0;)
    out.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  return out;
}

TEST(Log, OneLineWithFields) {
  EXPECT_EQ(logged([] {
              log::notice("up", {{log::Key::Net, "home"}, {log::Key::Count, "3"}});
            }),
            "notice test: up net=home count=3\n");
}

TEST(Log, SyslogPrefixesForTheJournal) {
  EXPECT_EQ(logged(
                [] {
                  log::error("down");
                  log::info("up");
                },
                true),
            "<3>test: down\n<6>test: up\n");
}

TEST(Log, ValuesCannotForgeKeysOrLines) {
  EXPECT_EQ(logged([] {
              log::info("x", {{log::Key::Peer, "a b"}});
            }),
            "info test: x peer=\"a b\"\n");
  EXPECT_EQ(logged([] {
              log::info("x", {{log::Key::Peer, "a uid=0"}});
            }),
            "info test: x peer=\"a uid=0\"\n");
  EXPECT_EQ(logged([] {
              log::info("x", {{log::Key::Peer, "a=b"}});
            }),
            "info test: x peer=\"a=b\"\n");
  EXPECT_EQ(logged([] {
              log::info("x", {{log::Key::Peer, "\" uid=0 \\"}});
            }),
            "info test: x peer=\"\\\" uid=0 \\\\\"\n");
  EXPECT_EQ(logged([] {
              log::info("x", {{log::Key::Peer, "a\nerror keyd: b\x1b[0m\x7f\xff"}});
            }),
            "info test: x peer=\"a\\x0aerror keyd: b\\x1b[0m\\x7f\\xff\"\n");
  EXPECT_EQ(logged([] { log::info("x", {{log::Key::Peer, ""}}); }), "info test: x peer=\"\"\n");
}

TEST(Log, SentencesCannotForgeLines) {
  EXPECT_EQ(logged([] { log::info("a\nb\tc"); }), "info test: a\\x0ab\\x09c\n");
}

TEST(Log, LongLinesAreCutButStayOneLine) {
  const std::string out = logged([] {
    const std::string value(100000, '\n');
    log::info("x", {{log::Key::Peer, value}, {log::Key::Node, value}, {log::Key::Ep, value}});
  });
  EXPECT_LE(out.size(), 4096u);
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1);
  EXPECT_EQ(out.back(), '\n');
}

TEST(Log, LevelsBelowTheChosenOneAreSilent) {
  EXPECT_EQ(logged([] {
              log::set_level(log::Level::Warning);
              log::notice("no");
              log::warning("yes");
              log::set_level(log::Level::Debug);
              log::debug("also");
            }),
            "warning test: yes\ndebug test: also\n");
}

TEST(Log, LevelNames) {
  log::Level level = log::Level::Error;
  EXPECT_TRUE(log::parse_level("debug", level));
  EXPECT_EQ(level, log::Level::Debug);
  EXPECT_TRUE(log::parse_level("error", level));
  EXPECT_EQ(level, log::Level::Error);
  EXPECT_FALSE(log::parse_level("Error", level));
  EXPECT_FALSE(log::parse_level("", level));
  EXPECT_EQ(level, log::Level::Error);
}

TEST(Log, SignalsChangeTheLevelAndSayso) {
  EXPECT_EQ(logged([] {
              log::set_level(log::Level::Notice);
              log::obey_signals();
              log::debug("before");
              raise(SIGUSR1);
              log::debug("between");
              raise(SIGUSR1);
              raise(SIGUSR2);
              log::debug("after");
              log::info("after");
              log::notice("still");
            }),
            "notice test: the log level is debug\n"
            "debug test: between\n"
            "notice test: the log level is debug\n"
            "notice test: the log level is the configured one again\n"
            "notice test: still\n");
  EXPECT_EQ(logged(
                [] {
                  log::obey_signals();
                  raise(SIGUSR1);
                },
                true),
            "<5>test: the log level is debug\n");
}

TEST(Log, LimitedLeavesOutAndCounts) {
  const std::string out = logged([] {
    log::Limited limited(3);
    for (int i = 0; i < 1000; ++i) limited.write(log::Level::Info, "again");
  });
  // A minute may begin in between: then three more, the first of which tells what was left out.
  const auto lines = std::count(out.begin(), out.end(), '\n');
  EXPECT_TRUE(lines == 3 || lines == 6) << out;
}

}  // namespace
}  // namespace wattle::os
