// The man pages against the program: every verb, option, exit code and file key is there.
#include <gtest/gtest.h>
#include <fstream>
#include <iterator>

#include "common/os/options.h"
#include "metad/ctl/exit_code.h"
#include "metad/ctl/verbs.h"

namespace wattle::ctl {
namespace {

std::string page(const std::string& name) {
  std::ifstream in(WATTLE_SOURCE_DIR "/man/" + name);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(ManPage, NamesEveryVerb) {
  const std::string text = page("wattle.8");
  ASSERT_FALSE(text.empty());
  for (const VerbInfo& verb : verbs())
    EXPECT_NE(text.find(".Cm " + std::string(verb.name) + "\n"), std::string::npos) << verb.name;
}

TEST(ManPage, NamesEveryOption) {
  const std::string text = page("wattle.8");
  for (const char* option :
       {"-json", "-foreground", "-port", "-device", "-count", "c", "-follow", "-lines", "n", "f"})
    EXPECT_NE(text.find("Fl " + std::string(option)), std::string::npos) << option;
}

TEST(ManPage, NamesEveryExitCode) {
  const std::string text = page("wattle.8");
  for (const Exit exit :
       {Exit::Ok,        Exit::General,      Exit::Usage,         Exit::NotRunning,
        Exit::NotJoined, Exit::Denied,       Exit::Unreachable,   Exit::Timeout,
        Exit::TokenUsed, Exit::TokenExpired, Exit::TokenUnknown,  Exit::GenesisDiffers,
        Exit::ClockOff,  Exit::NoTun,        Exit::JoinedAlready, Exit::AnswerWrong,
        Exit::IdClash,   Exit::Temporary,    Exit::NotRoot,       Exit::Config})
    EXPECT_NE(text.find(".It " + std::to_string(code(exit)) + "\n"), std::string::npos)
        << code(exit);
}

TEST(ManPage, NamesEveryKeyOfTheFile) {
  const std::string text = page("wattle.conf.5");
  std::size_t named = 0;
  for (std::size_t at = text.find(".It Ic "); at != std::string::npos;
       at = text.find(".It Ic ", at + 1))
    ++named;
  std::size_t known = 0;
  for (const std::string_view key : os::known_file_keys()) {
    if (key == "listen" || key == "url") continue;  // registry.conf's
    ++known;
    EXPECT_NE(text.find(".It Ic " + std::string(key) + "\n"), std::string::npos) << key;
  }
  EXPECT_EQ(named, known);
}

}  // namespace
}  // namespace wattle::ctl
