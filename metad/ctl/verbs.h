// The command line of `wattle`: the table of verbs, and what their arguments mean. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace wattle::ctl {

enum class Verb : std::uint8_t {
  Status,
  Peers,
  Ping,
  Routes,
  Why,
  Trace,
  Log,
  Check,
  Join,
  Leave,
  Up,
  Down,
  Version,
  Help
};

struct VerbInfo {
  Verb verb;
  std::string_view name;
  std::string_view usage;    // arguments, as in the man page
  std::string_view summary;  // one line
};
std::span<const VerbInfo> verbs();
const VerbInfo& info_of(Verb verb);
const VerbInfo* find_verb(std::string_view word);
// The verb that was probably meant, or nullptr.
const VerbInfo* suggest_verb(std::string_view word);

std::string usage();              // all verbs
std::string usage_of(Verb verb);  // one

// PROCESS of `log`.
std::span<const std::string_view> log_processes();

struct Arguments {
  Verb verb = Verb::Help;
  std::string first;   // NET, URL, NAME or the verb asked about
  std::string second;  // NET of ping, why and trace; LEVEL of log
  std::string third;   // NET of log PROCESS LEVEL
  bool json = false;
  bool foreground = false;
  bool no_wait = false;  // join: for approval
  bool help = false;     // --help after a verb
  std::optional<std::uint16_t> port;
  std::optional<std::string> device;
  bool follow = false;
  std::uint32_t count = 4;
  std::uint32_t lines = 50;
};

// `words` without the program's name. BadSyntax with a sentence for anything that is not
// understood.
Result<Arguments> parse_arguments(const std::vector<std::string>& words);

}  // namespace wattle::ctl
