// One event = one line on stderr, one write(2): `info area: sentence key=value ...`, or with
// JOURNAL_STREAM set `<6>area: sentence key=value ...` (syslog levels). Values are escaped (no
// control characters, no forged keys). The keys are a fixed list: adding one means adding it here
// and in HACKING.md.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"

namespace wattle::os::log {

enum class Level { Error = 3, Warning = 4, Notice = 5, Info = 6, Debug = 7 };

// Fixed keys.
enum class Key {
  Net,
  Node,
  Peer,
  Ep,
  Lane,
  Msg,
  Err,
  Bytes,
  Count,
  Pid,
  Uid,
  Path,
  Line,
  Rule,
  Serial,
  Version,
  Dev
};

struct Field {
  Key key;
  std::string value;
};

void open(
    std::string_view area);   // once, before any line: the program's short name, e.g. "cryptod"
void set_level(Level level);  // as configured
Level level();                // in force: as configured, or Debug after SIGUSR1
// For daemons: SIGUSR1 sets the level to Debug, SIGUSR2 back to the configured one (`wattle log`);
// either says so in one line. Called by Service::open().
void obey_signals();
bool parse_level(std::string_view text, Level& out);
std::vector<std::string> level_words();  // what parse_level() takes

void write(Level level, std::string_view sentence, std::initializer_list<Field> fields = {});
inline void error(std::string_view s, std::initializer_list<Field> f = {}) {
  write(Level::Error, s, f);
}
inline void warning(std::string_view s, std::initializer_list<Field> f = {}) {
  write(Level::Warning, s, f);
}
inline void notice(std::string_view s, std::initializer_list<Field> f = {}) {
  write(Level::Notice, s, f);
}
inline void info(std::string_view s, std::initializer_list<Field> f = {}) {
  write(Level::Info, s, f);
}
inline void debug(std::string_view s, std::initializer_list<Field> f = {}) {
  write(Level::Debug, s, f);
}

// For events that hostile input can cause: at most `burst` lines per minute for each call site's
// object; what was left out is counted and told with the next line.
class Limited {
 public:
  explicit Limited(int burst = 10) : burst_(burst) {}
  void write(Level level, std::string_view sentence, std::initializer_list<Field> fields = {});

 private:
  int burst_;
  int used_ = 0;
  std::uint64_t window_ = 0;
  std::uint64_t suppressed_ = 0;
};

}  // namespace wattle::os::log
