// Command line and INI file from one declaration (Boost.Program_options; the only place that
// includes it and the only place that catches). Every key of the file is also --key. Precedence:
// command line, then file, then default (a list on the command line replaces the file's). An
// unknown key that some other program of the node declares is passed over.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace wattle::os {

class Options {
 public:
  // `program`: name for --help; `summary`: one line.
  Options(std::string program, std::string summary);
  ~Options();
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;

  // Declares a key. `help` is one line. The target is set by parse(); its value before is the
  // default.
  Options& text(const char* key, std::string& target, const char* help);
  Options& number(const char* key, std::uint64_t& target, const char* help, std::uint64_t low = 0,
                  std::uint64_t high = std::numeric_limits<std::uint64_t>::max());
  Options& seconds(const char* key, std::uint64_t& target, const char* help);  // 90s, 15m, 24h
  Options& flag(const char* key, bool& target,
                const char* help);  // yes|no in a file; --key or --key=no
  Options& list(const char* key, std::vector<std::string>& target, const char* help);  // repeatable
  // One of these words.
  Options& choice(const char* key, std::string& target, std::vector<std::string> words,
                  const char* help);
  Options& positional(const char* name, std::string& target, const char* help);  // in order
  // Only on the command line (not in the file): --check, --json ...
  Options& switch_only(const char* key, bool& target, const char* help);

  // What values the key declared last may have: no value means fine, else what is needed, as in
  // "needs an address, not 'x'". parse() puts file, line and key before it.
  using Rule = std::function<std::optional<std::string>(const std::string& value)>;
  Options& allow(Rule rule);

  enum class Outcome { Run, Help, Version };
  // argv as main() got it. `file`: empty, or an INI file to read (missing file = no error unless
  // required). May be called again, as when --net tells which file to read: first without, then
  // with it. Errors: Errc::Config with one sentence naming file and line or the option.
  Result<Outcome> parse(int argc, const char* const* argv, const std::string& file = {},
                        bool required = false);

  std::string help() const;
  std::vector<std::string> keys() const;  // of the file, for --check and tests

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The rule of `relay`, which two daemons read.
std::optional<std::string> judge_relay(const std::string& value);

// Every key that may stand in wattle.conf, whoever reads it (so that each daemon can tell an
// unknown key from a foreign one). One list, in options.cpp; a test compares it with
// man/wattle.conf.5.
const std::vector<std::string_view>& known_file_keys();

}  // namespace wattle::os
