#include "common/os/options.h"

#include <gtest/gtest.h>

#include "common/os/file.h"
#include "tests/unit/common/os/child.h"

namespace wattle::os {
namespace {

class OptionsTest : public ::testing::Test {
 protected:
  std::string device = "wt-home", peer;
  std::uint64_t mtu = 1500, wait = 30;
  bool fast = false, check = false;
  std::vector<std::string> ip;
  Options options{"wattle-test", "tests options"};
  test::TempFolder folder;
  const std::string file = folder.file("wattle.conf");

  void SetUp() override {
    options.text("device", device, "name of the device")
        .number("mtu", mtu, "its MTU")
        .seconds("wait", wait, "how long")
        .flag("fast", fast, "be fast")
        .list("ip", ip, "an address")
        .switch_only("check", check, "only check")
        .positional("PEER", peer, "who");
  }
  Result<Options::Outcome> parse(std::vector<const char*> arguments, const std::string& path = {},
                                 bool required = false) {
    arguments.insert(arguments.begin(), "wattle-test");
    return options.parse(static_cast<int>(arguments.size()), arguments.data(), path, required);
  }
  Result<Options::Outcome> parse_text(const std::string& text,
                                      std::vector<const char*> arguments = {}) {
    EXPECT_TRUE(write_file(file, as_bytes(text), 0644));
    return parse(std::move(arguments), file);
  }
  // The sentence of the error; it must be one line.
  static std::string sentence(const Result<Options::Outcome>& result) {
    if (result) return "no error";
    EXPECT_EQ(result.error().code, Errc::Config);
    EXPECT_EQ(result.error().sentence.find('\n'), std::string::npos);
    return result.error().sentence;
  }
};

TEST_F(OptionsTest, DefaultsStay) {
  ASSERT_TRUE(parse({}));
  EXPECT_EQ(device, "wt-home");
  EXPECT_EQ(mtu, 1500u);
  EXPECT_TRUE(ip.empty());
  EXPECT_FALSE(fast);
}

TEST_F(OptionsTest, CommandLine) {
  ASSERT_TRUE(parse({"--device", "wt0", "--mtu=1400", "--wait=15m", "--fast", "--ip=1.2.3.4",
                     "--ip", "5.6.7.8", "--check", "bob"}));
  EXPECT_EQ(device, "wt0");
  EXPECT_EQ(mtu, 1400u);
  EXPECT_EQ(wait, 900u);
  EXPECT_TRUE(fast);
  EXPECT_TRUE(check);
  EXPECT_EQ(ip, (std::vector<std::string>{"1.2.3.4", "5.6.7.8"}));
  EXPECT_EQ(peer, "bob");
}

TEST_F(OptionsTest, FlagsTakeNoWordBehindThem) {
  EXPECT_EQ(sentence(parse({"--fast", "bob"})), "no error");
  EXPECT_TRUE(fast);
  EXPECT_EQ(peer, "bob");
  ASSERT_TRUE(parse({"--fast=no"}));
  EXPECT_FALSE(fast);
}

TEST_F(OptionsTest, FileThenCommandLine) {
  ASSERT_TRUE(
      parse_text("# my network\n\ndevice = wt7\nmtu=1300 # small\n fast = yes\nip = 1.1.1.1\n"
                 "ip = 2.2.2.2\r\n",
                 {"--mtu=1200"}));
  EXPECT_EQ(device, "wt7");
  EXPECT_EQ(mtu, 1200u);
  EXPECT_TRUE(fast);
  EXPECT_EQ(ip, (std::vector<std::string>{"1.1.1.1", "2.2.2.2"}));
  ASSERT_TRUE(parse({"--ip=3.3.3.3"}, file));  // a second parse starts over
  EXPECT_EQ(ip, std::vector<std::string>{"3.3.3.3"});
}

TEST_F(OptionsTest, KeysOfOtherProgramsArePassedOver) {
  EXPECT_TRUE(parse_text("connect = 192.0.2.1:8737\nlog-level = debug\n"));
}

TEST_F(OptionsTest, FileErrorsNameFileAndLine) {
  const auto at = [&](int line) { return file + ":" + std::to_string(line) + ": "; };
  EXPECT_EQ(sentence(parse_text("device = a\n\nmtuu = 3\n")),
            at(3) + "there is no key 'mtuu'; wattle.conf(5) lists them");
  EXPECT_EQ(sentence(parse_text("device\n")), at(1) + "expected 'key = value'");
  EXPECT_EQ(sentence(parse_text("\n[section]\n")),
            at(2) + "this file has no sections; remove '[section]'");
  EXPECT_EQ(sentence(parse_text("# x\nmtu = many\n")),
            at(2) + "'mtu' needs a whole number, not 'many'");
  EXPECT_EQ(sentence(parse_text("mtu = -1\n")), at(1) + "'mtu' needs a whole number, not '-1'");
  EXPECT_EQ(sentence(parse_text("mtu = 99999999999999999999\n")),
            at(1) + "'mtu' needs a whole number, not '99999999999999999999'");
  EXPECT_EQ(sentence(parse_text("mtu = 1 2\n")), at(1) + "'mtu' needs a whole number, not '1 2'");
  EXPECT_EQ(sentence(parse_text("\n\ndevice =\n")), at(3) + "'device' needs a value");
  EXPECT_EQ(sentence(parse_text("ip = 1.1.1.1\nip =\n")), at(2) + "'ip' needs a value");
  EXPECT_EQ(sentence(parse_text("fast = maybe\n")), at(1) + "'fast' needs yes or no, not 'maybe'");
  EXPECT_EQ(sentence(parse_text("wait = 5 weeks\n")),
            at(1) + "'wait' needs a time like 90s, 15m, 24h or 30d, not '5 weeks'");
  EXPECT_EQ(sentence(parse_text("mtu = 1\ndevice = a\nmtu = 2\n")),
            at(3) + "'mtu' is given twice, first in line 1");
  EXPECT_NE(sentence(parse_text("= 3\n")).find(at(1)), std::string::npos);
  EXPECT_NE(sentence(parse_text(std::string("a\0b = 3\n", 8))).find(at(1)), std::string::npos);
  // switches are no keys of the file
  EXPECT_EQ(sentence(parse_text("check = yes\n")),
            at(1) + "there is no key 'check'; wattle.conf(5) lists them");
}

TEST_F(OptionsTest, CommandLineErrorsNameTheOption) {
  EXPECT_EQ(sentence(parse({"--mtuu=3"})),
            "wattle-test: there is no option '--mtuu'; --help lists them");
  EXPECT_EQ(sentence(parse({"--dev=x"})),
            "wattle-test: there is no option '--dev'; --help lists them");
  EXPECT_NE(sentence(parse({"-x"})).find("-x"), std::string::npos);
  EXPECT_EQ(sentence(parse({"--device"})), "wattle-test: option '--device' needs a value");
  EXPECT_EQ(sentence(parse({"--mtu=abc"})),
            "wattle-test: option '--mtu' needs a whole number, not 'abc'");
  EXPECT_EQ(sentence(parse({"--mtu=1", "--mtu=2"})), "wattle-test: option '--mtu' is given twice");
  EXPECT_EQ(sentence(parse({"bob", "eve"})), "wattle-test: unexpected argument 'eve'");
  EXPECT_NE(sentence(parse({"--check=yes"})).find("check"), std::string::npos);
  EXPECT_NE(sentence(parse({"--device="})).find("device"), std::string::npos);
}

TEST_F(OptionsTest, MissingFiles) {
  EXPECT_TRUE(parse({}, folder.file("nowhere")));
  EXPECT_EQ(sentence(parse({}, folder.file("nowhere"), true)),
            "there is no file " + folder.file("nowhere"));
  EXPECT_NE(sentence(parse({}, folder.path())).find("is not a regular file"), std::string::npos);
  ASSERT_TRUE(write_file(file, Bytes(100 * 1024, '#'), 0644));
  EXPECT_NE(sentence(parse({}, file)).find("is larger than"), std::string::npos);
}

TEST_F(OptionsTest, HelpAndVersion) {
  EXPECT_EQ(parse({"--help"}).value(), Options::Outcome::Help);
  EXPECT_EQ(parse({"-h"}).value(), Options::Outcome::Help);
  EXPECT_EQ(parse({"--version"}).value(), Options::Outcome::Version);
  const std::string help = options.help();
  for (const char* part :
       {"wattle-test: tests options", "Usage: wattle-test [options] PEER", "--device=TEXT",
        "name of the device", "--mtu=N", "--wait=TIME", "--fast[=yes|no]",
        "an address (may be repeated)", "--check ", "--version"})
    EXPECT_NE(help.find(part), std::string::npos) << part << "\n" << help;
  EXPECT_EQ(options.keys(), (std::vector<std::string>{"device", "mtu", "wait", "fast", "ip"}));
}

TEST(KnownFileKeys, AreSortedAndUnique) {
  const auto& keys = known_file_keys();
  EXPECT_FALSE(keys.empty());
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_EQ(std::adjacent_find(keys.begin(), keys.end()), keys.end());
}

TEST_F(OptionsTest, RulesOfValuesSpeakWithFileAndLine) {
  std::uint64_t port = 1;
  std::string level = "info";
  options.number("port", port, "its port", 1, 65535).choice("level", level, {"info", "debug"}, "");
  EXPECT_EQ(sentence(parse_text("port = 65536\n")),
            file + ":1: 'port' needs a whole number from 1 to 65535, not '65536'");
  EXPECT_EQ(sentence(parse_text("\nport = 0\n")),
            file + ":2: 'port' needs a whole number from 1 to 65535, not '0'");
  EXPECT_EQ(port, 1u);
  EXPECT_EQ(sentence(parse({"--level=loud"})),
            "wattle-test: option '--level' needs info or debug, not 'loud'");
  ASSERT_TRUE(parse_text("port = 65535\nlevel = debug\n"));
  EXPECT_EQ(port, 65535u);
  EXPECT_EQ(level, "debug");
}

TEST_F(OptionsTest, EachItemOfAListObeysItsRule) {
  std::vector<std::string> places;
  options.list("place", places, "").allow([](const std::string& value) {
    return value == "bad" ? std::optional<std::string>("needs better") : std::nullopt;
  });
  EXPECT_EQ(sentence(parse_text("place = good\nplace = bad\n")), file + ":2: 'place' needs better");
  ASSERT_TRUE(parse_text("place = good\nplace = fine\n"));
  EXPECT_EQ(places.size(), 2u);
}

}  // namespace
}  // namespace wattle::os
