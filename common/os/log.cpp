#include "common/os/log.h"

#include <signal.h>
#include <unistd.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>

#include "common/os/clock.h"

namespace wattle::os::log {

namespace {

constexpr std::size_t kMaxLine = 4096;  // one write(2), whole or not at all on a pipe
constexpr std::size_t kMaxValue = 1024;

struct State {
  std::string area = "wattle";
  bool journal = false;
};

// Changed by a signal handler, at any moment.
std::atomic<int> in_force{static_cast<int>(Level::Info)};
std::atomic<int> configured{static_cast<int>(Level::Info)};
static_assert(std::atomic<int>::is_always_lock_free);

// What a handler writes was built before: it may not allocate.
struct Announcement {
  std::array<char, 128> text{};
  std::size_t size = 0;
};
Announcement now_debug, now_configured;

State& state() {
  static State the_state;
  return the_state;
}

std::string_view key_name(Key key) {
  static constexpr std::array<std::string_view, 17> kNames = {
      "net", "node", "peer", "ep",   "lane", "msg",    "err",     "bytes", "count",
      "pid", "uid",  "path", "line", "rule", "serial", "version", "dev"};
  const auto index = static_cast<std::size_t>(key);
  return index < kNames.size() ? kNames[index] : "key";
}

constexpr Level kLevels[] = {Level::Error, Level::Warning, Level::Notice, Level::Info,
                             Level::Debug};

std::string_view level_name(Level level) {
  switch (level) {
    case Level::Error:
      return "error";
    case Level::Warning:
      return "warning";
    case Level::Notice:
      return "notice";
    case Level::Info:
      return "info";
    case Level::Debug:
      return "debug";
  }
  return "info";
}

void append_hex(std::string& out, unsigned char c) {
  static constexpr char kDigits[] = "0123456789abcdef";
  out += "\\x";
  out += kDigits[c >> 4];
  out += kDigits[c & 15];
}

// Printable ASCII stays; everything else becomes \xNN.
void append_sentence(std::string& out, std::string_view text) {
  for (const char c : text.substr(0, kMaxValue)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f)
      out += c;
    else
      append_hex(out, byte);
  }
}

// Bare if it cannot be mistaken for anything else, else in quotes.
void append_value(std::string& out, std::string_view value) {
  bool bare = !value.empty();
  for (const char c : value)
    if (c <= ' ' || c > '~' || c == '"' || c == '=' || c == '\\') bare = false;
  if (bare) {
    out += value.substr(0, kMaxValue);
    return;
  }
  out += '"';
  for (const char c : value.substr(0, kMaxValue)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      (out += '\\') += c;
    else if (byte >= 0x20 && byte < 0x7f)
      out += c;
    else
      append_hex(out, byte);
  }
  out += '"';
}

void build_announcement(Announcement& out, std::string_view sentence) {
  std::string line = state().journal ? "<5>" : "notice ";
  line += state().area + ": " + std::string(sentence) + "\n";
  out.size = std::min(line.size(), out.text.size());
  line.copy(out.text.data(), out.size);
}

void on_signal(int signal) {
  const int kept = errno;
  const bool debug = signal == SIGUSR1;
  in_force.store(debug ? static_cast<int>(Level::Debug) : configured.load());
  const Announcement& said = debug ? now_debug : now_configured;
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, said.text.data(), said.size);
  errno = kept;
}

}  // namespace

void open(std::string_view area) {
  state().area = area;
  state().journal = std::getenv("JOURNAL_STREAM") != nullptr;
}

void set_level(Level level) {
  configured = static_cast<int>(level);
  in_force = static_cast<int>(level);
}
Level level() { return static_cast<Level>(in_force.load(std::memory_order_relaxed)); }

void obey_signals() {
  build_announcement(now_debug, "the log level is debug");
  build_announcement(now_configured, "the log level is the configured one again");
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGUSR1, &action, nullptr);
  ::sigaction(SIGUSR2, &action, nullptr);
}

std::vector<std::string> level_words() {
  std::vector<std::string> out;
  for (const Level level : kLevels) out.emplace_back(level_name(level));
  return out;
}

bool parse_level(std::string_view text, Level& out) {
  for (const Level candidate : kLevels) {
    if (text != level_name(candidate)) continue;
    out = candidate;
    return true;
  }
  return false;
}

void write(Level level, std::string_view sentence, std::initializer_list<Field> fields) {
  if (level > log::level()) return;
  std::string line;
  if (state().journal)
    line = "<" + std::to_string(static_cast<int>(level)) + ">";
  else
    (line = level_name(level)) += ' ';
  line += state().area;
  line += ": ";
  append_sentence(line, sentence);
  for (const Field& field : fields) {
    line += ' ';
    line += key_name(field.key);
    line += '=';
    append_value(line, field.value);
  }
  if (line.size() >= kMaxLine) line.resize(kMaxLine - 1);
  line += '\n';
  // A log that cannot be written must not stop the daemon.
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
}

void Limited::write(Level level, std::string_view sentence, std::initializer_list<Field> fields) {
  if (level > log::level()) return;
  const auto minute = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::minutes>(now().time_since_epoch()).count());
  if (minute != window_) {
    window_ = minute;
    used_ = 0;
  }
  if (used_ >= burst_) {
    ++suppressed_;
    return;
  }
  ++used_;
  if (suppressed_ == 0) return log::write(level, sentence, fields);
  std::string text(sentence);
  text += " (" + std::to_string(suppressed_) + " such lines left out before)";
  suppressed_ = 0;
  log::write(level, text, fields);
}

}  // namespace wattle::os::log
