#include "tapd/settings.h"

#include <gtest/gtest.h>

namespace wattle::tapd {
namespace {

constexpr std::string_view kMember =
    "name = alice\n"
    "mac = 02:11:22:33:44:55\n"
    "ipv4 = 10.7.0.9/22   # ours\n"
    "ipv6 = fd00:7::9/48\n";

CommandLine home() {
  CommandLine command;
  command.network = "home";
  return command;
}

Result<Settings> make(std::string_view config, std::string_view member = kMember) {
  return make_settings(home(), config, "wattle.conf", member, "member.conf");
}

TEST(TapdSettings, DefaultsComeFromTheNetworksName) {
  const auto settings = make("");
  ASSERT_TRUE(settings) << settings.error().text();
  EXPECT_EQ(settings->device, "wt-home");
  EXPECT_EQ(settings->mtu, 1420);
  EXPECT_EQ(settings->port, 8737);
  EXPECT_EQ(settings->mac.text(), "02:11:22:33:44:55");
  EXPECT_EQ(settings->ipv4->text(), "10.7.0.9/22");
  EXPECT_EQ(settings->ipv6->text(), "fd00:7::9/48");
}

TEST(TapdSettings, ReadsItsKeysAndPassesOthersOver) {
  const auto settings = make(
      "# a comment\r\n"
      "connect = 192.0.2.1:8737\n"
      "connect = 192.0.2.2:8737\n"
      "  mtu=1300 # smaller\n"
      "port = 9000\n"
      "device = lan0\n");
  ASSERT_TRUE(settings) << settings.error().text();
  EXPECT_EQ(settings->mtu, 1300);
  EXPECT_EQ(settings->port, 9000);
  EXPECT_EQ(settings->device, "lan0");
}

TEST(TapdSettings, CommandLineWinsOverTheFile) {
  const auto command = parse_command_line({"--net=home", "--mtu", "1300", "--port=7"});
  ASSERT_TRUE(command) << command.error().text();
  const auto settings =
      make_settings(*command, "mtu = 1400\nport = 8\ndevice = x\n", "c", kMember, "m");
  ASSERT_TRUE(settings);
  EXPECT_EQ(settings->mtu, 1300);
  EXPECT_EQ(settings->port, 7);
  EXPECT_EQ(settings->device, "x");
}

struct BadText {
  const char* config;
  const char* member;
  const char* says;
};

TEST(TapdSettings, ErrorsNameFileLineAndKey) {
  const BadText cases[] = {
      {"\nmtu = 575", nullptr, "wattle.conf:2: mtu must be a number from 576 to 9000"},
      {"mtu = 9001", nullptr, "from 576 to 9000, not \"9001\""},
      {"mtu = -1", nullptr, "not \"-1\""},
      {"mtu =", nullptr, "not \"\""},
      {"port = 0", nullptr, "port must be a number from 1 to 65535"},
      {"port = 65536", nullptr, "port must be"},
      {"port = 80\nport = 81", nullptr, ":2: port stands in line 1 already"},
      {"device = a/b", nullptr, "device must be 1 to 15"},
      {"device = sixteen-chars-xx", nullptr, "device must be 1 to 15"},
      {"device = ..", nullptr, "device must be"},
      {"device = wt%d", nullptr, "device must be"},
      {"log-level = loud", nullptr, ":1: log-level must be error, warning, notice, info or debug"},
      {"[section]\nmtu = 1400", nullptr, ":1: expected"},
      {"just words", nullptr, "wattle.conf:1: expected \"key = value\", not \"just words\""},
      {"= 3", nullptr, ":1: expected"},
      {"a\033[31m", nullptr, "\"a?[31m\""},
      {"", "ipv4 = 10.0.0.1/8", "member.conf has no mac"},
      {"", "mac = 01:00:00:00:00:01\nipv4 = 10.0.0.1/8", ":1: mac must be a unicast"},
      {"", "mac = 00:00:00:00:00:00\nipv4 = 10.0.0.1/8", "mac must be a unicast"},
      {"", "mac = 02:00:00:00:00:01", "neither ipv4 nor ipv6"},
      {"", "mac = 02:00:00:00:00:01\nipv4 = 10.0.0.1", ":2: ipv4 must be an IPv4 address"},
      {"", "mac = 02:00:00:00:00:01\nipv4 = fd00::1/64", "ipv4 must be an IPv4 address"},
      {"", "mac = 02:00:00:00:00:01\nipv6 = ff02::1/64", "ipv6 must be an IPv6 address"},
  };
  for (const BadText& bad : cases) {
    const auto settings = make(bad.config, bad.member != nullptr ? bad.member : kMember);
    ASSERT_FALSE(settings) << bad.config;
    EXPECT_EQ(settings.error().code, Errc::Config);
    EXPECT_NE(settings.error().sentence.find(bad.says), std::string::npos)
        << settings.error().sentence << "\n  lacks: " << bad.says;
  }
}

TEST(TapdSettings, CommandLineErrorsAreSentences) {
  EXPECT_FALSE(parse_command_line({}));
  EXPECT_FALSE(parse_command_line({"--net"}));
  EXPECT_FALSE(parse_command_line({"--net", "Home"}));
  EXPECT_FALSE(parse_command_line({"--net", "home", "extra"}));
  EXPECT_FALSE(parse_command_line({"--net", "home", "--color", "red"}));
  EXPECT_FALSE(parse_command_line({"--net", "home", "--mtu", "1"}));
  const auto unknown = parse_command_line({"--net=home", "--color=red"});
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().sentence.find("\"--color\""), std::string::npos);
}

TEST(TapdSettings, HelpAndVersionNeedNoNetwork) {
  EXPECT_EQ(parse_command_line({"--help"})->action, CommandLine::Action::Help);
  EXPECT_EQ(parse_command_line({"--net", "x", "--version"})->action, CommandLine::Action::Version);
  for (const char* key : {"--net", "--config", "--member", "--device", "--mtu", "--port",
                          "--crypto-socket", "--log-level", "--help", "--version"})
    EXPECT_NE(help_text().find(key), std::string::npos) << key;
}

}  // namespace
}  // namespace wattle::tapd
