// The template of wattle.conf against the parser that the daemons use.
#include <gtest/gtest.h>
#include <algorithm>
#include <fstream>
#include <set>

#include "common/base/parse.h"
#include "common/os/options.h"
#include "metad/ctl/conf_template.h"

namespace wattle::ctl {
namespace {

struct Read {
  std::string device, log_level, relay, offload, io;
  bool indirect = true, tcp_only = true;
  std::uint64_t mtu = 0, port = 0;
  std::vector<std::string> ip, connect;
};

Result<Read> parse(const std::string& text) {
  const std::string path = testing::TempDir() + "/ctl-conf-" + std::to_string(getpid());
  std::ofstream(path) << text;
  Read out;
  os::Options options("test", "test");
  options.text("device", out.device, "d").text("log-level", out.log_level, "l");
  options.text("relay", out.relay, "r")
      .text("offload", out.offload, "o")
      .text("io", out.io, "i")
      .flag("indirect", out.indirect, "n");
  options.flag("tcp-only", out.tcp_only, "t");
  options.number("mtu", out.mtu, "m").number("port", out.port, "p");
  options.list("ip", out.ip, "i").list("connect", out.connect, "c");
  const char* argv[] = {"test"};
  const auto outcome = options.parse(1, argv, path, true);
  std::remove(path.c_str());
  if (!outcome) return outcome.error();
  return out;
}

// Each `#key = value` line with its # taken away.
std::string uncommented(const std::string& text) {
  std::string out;
  for (const std::string_view line : split(text, '\n')) {
    const bool is_key = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    out += std::string(is_key ? line.substr(1) : line) + "\n";
  }
  return out;
}

TEST(ConfTemplate, IsValidAsItStands) {
  const auto read = parse(build_conf_template("home", 8740, {}));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->port, 8740U);
  EXPECT_EQ(read->device, "");
}

TEST(ConfTemplate, IsValidWithEveryLineUncommented) {
  const auto read = parse(uncommented(build_conf_template("home", 8740, {})));
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->port, 8740U);
  EXPECT_EQ(read->device, "wt-home");
  EXPECT_EQ(read->mtu, 1420U);
  EXPECT_EQ(read->ip.size(), 2U);
  EXPECT_EQ(read->connect.size(), 1U);
  EXPECT_EQ(read->log_level, "info");
  EXPECT_EQ(read->relay, "yes");
  EXPECT_EQ(read->offload, "all");
  EXPECT_EQ(read->io, "auto");
  EXPECT_FALSE(read->indirect);
  EXPECT_FALSE(read->tcp_only);
}

TEST(ConfTemplate, NamesEveryKeyAndNoOther) {
  std::set<std::string> named;
  const std::string text = uncommented(build_conf_template("home", 1, {}));
  for (const std::string_view line : split(text, '\n'))
    if (!line.empty() && line[0] != '#') named.emplace(trim(line.substr(0, line.find('='))));
  std::set<std::string> known;
  for (const std::string_view key : os::known_file_keys())
    if (key != "listen" && key != "url") known.emplace(key);  // registry.conf's
  EXPECT_EQ(named, known);
}

}  // namespace
}  // namespace wattle::ctl
