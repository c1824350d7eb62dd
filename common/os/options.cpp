#include "common/os/options.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <functional>
#include <map>
#include <optional>
#include <sstream>

#include "common/base/parse.h"
#include "common/base/parse_rate.h"
#include "common/os/file.h"

namespace wattle::os {

namespace po = boost::program_options;

namespace {

constexpr std::size_t kMaxFile = 64 * 1024;

enum class Kind { Text, Number, Seconds, Flag, List, Switch };

struct Key {
  std::string name;
  Kind kind = Kind::Text;
  std::string help;
  // Takes all values of one source; returns what is wrong with a value, or nothing.
  std::function<std::optional<std::string>(const std::vector<std::string>&)> assign;
  Options::Rule rule;  // may be empty

  std::optional<std::string> take(const std::vector<std::string>& values) const {
    if (rule)
      for (const std::string& value : values)
        if (auto wrong = rule(value)) return wrong;
    return assign(values);
  }
};

struct Positional {
  std::string name, help;
  std::string* target;
};

std::string_view shape(Kind kind) {
  switch (kind) {
    case Kind::Text:
    case Kind::List:
      return "=TEXT";
    case Kind::Number:
      return "=N";
    case Kind::Seconds:
      return "=TIME";
    case Kind::Flag:
      return "[=yes|no]";
    case Kind::Switch:
      return "";
  }
  return "";
}

std::optional<bool> parse_flag(std::string_view text) {
  if (text == "yes" || text == "true" || text == "on" || text == "1") return true;
  if (text == "no" || text == "false" || text == "off" || text == "0") return false;
  return std::nullopt;
}

std::string_view drop_comment(std::string_view line) {
  line = line.substr(0, line.find('#'));  // as Boost reads INI files
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return trim(line);
}

// A value of the file and where it stands.
struct FileValue {
  std::string value;
  std::size_t line;
};
using FileValues = std::map<std::string, std::vector<FileValue>, std::less<>>;

}  // namespace

struct Options::State {
  std::string program, summary;
  std::vector<Key> keys;
  std::vector<Positional> positionals;

  void add(const char* name, Kind kind, const char* help, decltype(Key::assign) assign) {
    keys.push_back({name, kind, help, std::move(assign), {}});
  }
  const Key* find(std::string_view name) const {
    const auto it =
        std::find_if(keys.begin(), keys.end(), [&](const Key& k) { return k.name == name; });
    return it == keys.end() ? nullptr : &*it;
  }
  po::options_description description(bool of_file) const;
  Result<po::variables_map> read_command_line(int argc, const char* const* argv) const;
  Result<FileValues> read_file(const std::string& file, bool required) const;
  Error unknown_key(std::string_view key, const std::string& where) const;
};

po::options_description Options::State::description(bool of_file) const {
  po::options_description out;
  for (const Key& key : keys) {
    if (key.kind == Kind::Switch) {
      if (!of_file) out.add_options()(key.name.c_str(), po::bool_switch());
      continue;
    }
    // Everything is text for Boost: the conversions and their sentences are below.
    out.add_options()(key.name.c_str(), po::value<std::vector<std::string>>());
  }
  if (of_file) return out;
  out.add_options()("help,h", po::bool_switch())("version", po::bool_switch());
  out.add_options()("positional argument", po::value<std::vector<std::string>>());
  return out;
}

Result<po::variables_map> Options::State::read_command_line(int argc,
                                                            const char* const* argv) const {
  namespace style = po::command_line_style;
  const auto options = description(false);
  const po::positional_options_description rest =
      po::positional_options_description().add("positional argument", -1);
  // A flag alone means yes. Boost's implicit values would swallow the word behind it.
  std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  for (std::string& word : words) {
    if (word == "--") break;
    const Key* key = word.starts_with("--") ? find(std::string_view(word).substr(2)) : nullptr;
    if (key != nullptr && key->kind == Kind::Flag) word += "=yes";
  }
  try {
    po::variables_map values;
    po::store(po::command_line_parser(words)
                  .options(options)
                  .positional(rest)
                  .style(style::default_style & ~style::allow_guessing)
                  .run(),
              values);
    return values;
  } catch (const po::unknown_option& e) {
    const std::string name = e.get_option_name();
    return Error(Errc::Config, program + ": there is no option '" + name.substr(0, name.find('=')) +
                                   "'; --help lists them");
  } catch (const po::invalid_command_line_syntax& e) {
    if (e.kind() == po::invalid_syntax::missing_parameter)
      return Error(Errc::Config, program + ": option '" + e.get_option_name() + "' needs a value");
    return Error(Errc::Config, program + ": " + e.what());
  } catch (
      const std::exception& e) {  // the rest of Boost's errors are sentences that name the option
    return Error(Errc::Config, program + ": " + e.what());
  }
}

Error Options::State::unknown_key(std::string_view key, const std::string& where) const {
  return Error(Errc::Config,
               where + ": there is no key '" + std::string(key) + "'; wattle.conf(5) lists them");
}

Result<FileValues> Options::State::read_file(const std::string& file, bool required) const {
  FileValues out;
  auto text = read_text(file, kMaxFile);
  if (!text) {
    if (text.error().code == Errc::NotFound && !required) return out;
    return Error(Errc::Config, text.error().text());
  }
  const auto options = description(true);
  const auto& known = known_file_keys();
  std::size_t number = 0;
  for (const std::string_view raw : split(*text, '\n')) {
    ++number;
    const std::string where = file + ":" + std::to_string(number);
    const std::string_view line = drop_comment(raw);
    if (line.empty()) continue;
    if (line.front() == '[')
      return Error(Errc::Config,
                   where + ": this file has no sections; remove '" + std::string(line) + "'");
    if (line.find('\0') != std::string_view::npos || line.find('=') == std::string_view::npos)
      return Error(Errc::Config, where + ": expected 'key = value'");
    // One line at a time, so that what Boost says belongs to a line.
    std::istringstream one{std::string(line) + "\n"};
    try {
      for (const auto& option : po::parse_config_file(one, options, true).options) {
        const std::string& key = option.string_key;
        if (option.unregistered) {
          if (std::find(known.begin(), known.end(), key) == known.end())
            return unknown_key(key, where);
          continue;
        }
        auto& values = out[key];
        if (!values.empty() && find(key)->kind != Kind::List)
          return Error(Errc::Config, where + ": '" + key + "' is given twice, first in line " +
                                         std::to_string(values.front().line));
        values.push_back({option.value.empty() ? "" : option.value.front(), number});
      }
    } catch (const std::exception& e) {
      return Error(Errc::Config, where + ": expected 'key = value' (" + e.what() + ")");
    }
  }
  return out;
}

Options::Options(std::string program, std::string summary) : state_(std::make_unique<State>()) {
  state_->program = std::move(program);
  state_->summary = std::move(summary);
}

Options::~Options() = default;

Options& Options::text(const char* key, std::string& target, const char* help) {
  state_->add(key, Kind::Text, help, [&target](const auto& values) -> std::optional<std::string> {
    if (values.back().empty()) return "needs a value";
    target = values.back();
    return std::nullopt;
  });
  return *this;
}

Options& Options::number(const char* key, std::uint64_t& target, const char* help,
                         std::uint64_t low, std::uint64_t high) {
  const auto assign = [&target, low, high](const auto& values) -> std::optional<std::string> {
    const auto number = parse_decimal(values.back(), high);
    if (number && *number >= low) {
      target = *number;
      return std::nullopt;
    }
    std::string bounds;
    if (high != std::numeric_limits<std::uint64_t>::max())
      bounds = " from " + std::to_string(low) + " to " + std::to_string(high);
    return "needs a whole number" + bounds + ", not '" + values.back() + "'";
  };
  state_->add(key, Kind::Number, help, assign);
  return *this;
}

Options& Options::choice(const char* key, std::string& target, std::vector<std::string> words,
                         const char* help) {
  std::string all;
  for (const std::string& word : words)
    all += (all.empty() ? "" : &word == &words.back() ? " or " : ", ") + word;
  return text(key, target, help).allow([words = std::move(words), all](const std::string& value) {
    return std::find(words.begin(), words.end(), value) != words.end()
               ? std::nullopt
               : std::optional("needs " + all + ", not '" + value + "'");
  });
}

Options& Options::allow(Rule rule) {
  state_->keys.back().rule = std::move(rule);
  return *this;
}

Options& Options::seconds(const char* key, std::uint64_t& target, const char* help) {
  state_->add(key, Kind::Seconds, help,
              [&target](const auto& values) -> std::optional<std::string> {
                const auto number = parse_seconds(values.back());
                if (!number)
                  return "needs a time like 90s, 15m, 24h or 30d, not '" + values.back() + "'";
                target = *number;
                return std::nullopt;
              });
  return *this;
}

Options& Options::flag(const char* key, bool& target, const char* help) {
  state_->add(key, Kind::Flag, help, [&target](const auto& values) -> std::optional<std::string> {
    const auto value = parse_flag(values.back());
    if (!value) return "needs yes or no, not '" + values.back() + "'";
    target = *value;
    return std::nullopt;
  });
  return *this;
}

Options& Options::list(const char* key, std::vector<std::string>& target, const char* help) {
  state_->add(key, Kind::List, help, [&target](const auto& values) -> std::optional<std::string> {
    for (const std::string& value : values)
      if (value.empty()) return "needs a value";
    target = values;
    return std::nullopt;
  });
  return *this;
}

Options& Options::positional(const char* name, std::string& target, const char* help) {
  state_->positionals.push_back({name, help, &target});
  return *this;
}

Options& Options::switch_only(const char* key, bool& target, const char* help) {
  state_->add(key, Kind::Switch, help, [&target](const auto&) -> std::optional<std::string> {
    target = true;
    return std::nullopt;
  });
  return *this;
}

Result<Options::Outcome> Options::parse(int argc, const char* const* argv, const std::string& file,
                                        bool required) {
  const auto values = WATTLE_TRY(state_->read_command_line(argc, argv));
  if (values["help"].as<bool>()) return Outcome::Help;
  if (values["version"].as<bool>()) return Outcome::Version;

  if (!file.empty()) {
    const FileValues from_file = WATTLE_TRY(state_->read_file(file, required));
    for (const auto& [name, found] : from_file) {
      const Key& key = *state_->find(name);
      for (const FileValue& one : found)  // one by one: the line of a bad item of a list
        if (const auto wrong = key.take({one.value}))
          return Error(Errc::Config,
                       file + ":" + std::to_string(one.line) + ": '" + name + "' " + *wrong);
      std::vector<std::string> all;
      for (const FileValue& one : found) all.push_back(one.value);
      key.assign(all);
    }
  }
  for (const Key& key : state_->keys) {
    const auto& value = values[key.name];
    if (value.empty()) continue;
    std::vector<std::string> texts;
    if (key.kind == Kind::Switch) {
      if (!value.as<bool>()) continue;
    } else {
      texts = value.as<std::vector<std::string>>();
      if (texts.size() > 1 && key.kind != Kind::List)
        return Error(Errc::Config,
                     state_->program + ": option '--" + key.name + "' is given twice");
    }
    if (const auto wrong = key.take(texts))
      return Error(Errc::Config, state_->program + ": option '--" + key.name + "' " + *wrong);
  }
  if (const auto& rest = values["positional argument"]; !rest.empty()) {
    const auto& texts = rest.as<std::vector<std::string>>();
    if (texts.size() > state_->positionals.size())
      return Error(Errc::Config, state_->program + ": unexpected argument '" +
                                     texts[state_->positionals.size()] + "'");
    for (std::size_t i = 0; i < texts.size(); ++i) *state_->positionals[i].target = texts[i];
  }
  return Outcome::Run;
}

std::string Options::help() const {
  static constexpr std::size_t kColumn = 28;
  const auto row = [](std::string left, const std::string& right) {
    left.resize(std::max(left.size() + 2, kColumn), ' ');
    return "  " + left + right + "\n";
  };
  std::string out = state_->program + ": " + state_->summary + "\n\nUsage: " + state_->program;
  if (!state_->keys.empty()) out += " [options]";
  for (const Positional& p : state_->positionals) out += " " + p.name;
  out += "\n\n";
  for (const Positional& p : state_->positionals) out += row(p.name, p.help);
  for (const Key& key : state_->keys)
    out += row("--" + key.name + std::string(shape(key.kind)),
               key.help + (key.kind == Kind::List ? " (may be repeated)" : ""));
  out += row("--help", "show this text and exit");
  out += row("--version", "show the version and exit");
  return out;
}

std::vector<std::string> Options::keys() const {
  std::vector<std::string> out;
  for (const Key& key : state_->keys)
    if (key.kind != Kind::Switch) out.push_back(key.name);
  return out;
}

std::optional<std::string> judge_relay(const std::string& value) {
  if (parse_relay(value)) return std::nullopt;
  return "needs yes, no or bytes per second such as 500k or 20M, not '" + value + "'";
}

const std::vector<std::string_view>& known_file_keys() {
  static const std::vector<std::string_view> kKeys = {"connect", "device",    "indirect", "io",
                                                      "ip",      "log-level", "mtu",      "offload",
                                                      "port",    "relay",     "tcp-only"};
  return kKeys;
}

}  // namespace wattle::os
