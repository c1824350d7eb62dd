#include "metad/ctl/verbs.h"

#include <algorithm>
#include <numeric>

#include "common/base/parse.h"
#include "metad/ctl/conf_template.h"

namespace wattle::ctl {

namespace {

constexpr VerbInfo kVerbs[] = {
    {Verb::Status, "status", "[NET] [--json]",
     "this host in the network, and what is wrong if something is"},
    {Verb::Peers, "peers", "[NET] [--json]", "the other members and how they are reached"},
    {Verb::Ping, "ping", "NAME [NET] [-c COUNT] [--json]",
     "ask a member over the encrypted path; say which path"},
    {Verb::Routes, "routes", "[NET] [--json]", "the ways to the other members, and their costs"},
    {Verb::Why, "why", "NAME [NET] [--json]", "how a member is reached, and why that way"},
    {Verb::Trace, "trace", "NAME [NET] [--json]", "the way to a member, hop by hop"},
    {Verb::Log, "log", "[NET] [-n LINES] [-f] [--json] | PROCESS LEVEL [NET]",
     "what the daemons say; or how much one says (root)"},
    {Verb::Check, "check", "[NET]", "look at the settings without starting anything"},
    {Verb::Join, "join", "URL [--port N] [--device D] [--no-wait]",
     "make this host a member (root)"},
    {Verb::Leave, "leave", "[NET]", "undo join: stop, remove keys, settings and users (root)"},
    {Verb::Up, "up", "[NET] [--foreground]", "start the network's daemons (root)"},
    {Verb::Down, "down", "[NET]", "stop them (root)"},
    {Verb::Version, "version", "[--json]", "the version"},
    {Verb::Help, "help", "[VERB]", "this text, or what one verb does"},
};

struct Option {
  std::string_view name;
  std::string_view alias;
  bool takes_value;
  std::vector<Verb> of;
};

const std::vector<Option>& options() {
  static const std::vector<Option> kOptions = {
      {"--json",
       "",
       false,
       {Verb::Status, Verb::Peers, Verb::Ping, Verb::Routes, Verb::Why, Verb::Trace, Verb::Log,
        Verb::Version}},
      {"--help", "-h", false, {}},
      {"--foreground", "-f", false, {Verb::Up}},
      {"--follow", "-f", false, {Verb::Log}},
      {"--lines", "-n", true, {Verb::Log}},
      {"--port", "-p", true, {Verb::Join}},
      {"--device", "-d", true, {Verb::Join}},
      {"--no-wait", "", false, {Verb::Join}},
      {"--count", "-c", true, {Verb::Ping}},
  };
  return kOptions;
}

const Option* find_option(Verb verb, std::string_view name) {
  for (const Option& option : options()) {
    if (option.name != name && (option.alias.empty() || option.alias != name)) continue;
    if (option.of.empty() || std::find(option.of.begin(), option.of.end(), verb) != option.of.end())
      return &option;
  }
  return nullptr;
}

// Edits from a to b: insert, delete, replace, swap of neighbours counted as two.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
      diagonal = row[j];
      row[j] = std::min({replace, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

Error bad(std::string sentence) { return {Errc::BadSyntax, std::move(sentence)}; }

Result<void> take_option(const Option& option, std::string_view value, Arguments& out) {
  if (option.name == "--json") out.json = true;
  if (option.name == "--help") out.help = true;
  if (option.name == "--foreground") out.foreground = true;
  if (option.name == "--no-wait") out.no_wait = true;
  if (option.name == "--follow") out.follow = true;
  if (option.name == "--lines") {
    const auto lines = parse_decimal(value, 100000);
    if (!lines) return bad("--lines wants a number from 0 to 100000");
    out.lines = static_cast<std::uint32_t>(*lines);
  }
  if (option.name == "--port") {
    const auto port = parse_decimal(value, 65535);
    if (!port || *port == 0) return bad("--port wants a number from 1 to 65535");
    out.port = static_cast<std::uint16_t>(*port);
  }
  if (option.name == "--count") {
    const auto count = parse_decimal(value, 1000000);
    if (!count || *count == 0) return bad("--count wants a number from 1 to 1000000");
    out.count = static_cast<std::uint32_t>(*count);
  }
  if (option.name == "--device") {
    if (!is_device_name(value))
      return bad("--device wants a device name of at most 15 letters, digits, . _ -");
    out.device = value;
  }
  return {};
}

struct Shape {
  std::size_t least = 0, most = 1;
  std::size_t network = 0;  // which word is NET
  bool names_member = false;
};

Shape shape_of(Verb verb, std::size_t count) {
  switch (verb) {
    case Verb::Ping:
    case Verb::Why:
    case Verb::Trace:
      return {1, 2, 1, true};
    case Verb::Log:
      return count < 2 ? Shape{} : Shape{2, 3, 2, false};
    case Verb::Join:
      return {1, 1, SIZE_MAX, false};
    case Verb::Help:
      return {0, 1, SIZE_MAX, false};
    case Verb::Version:
      return {0, 0, SIZE_MAX, false};
    case Verb::Status:
    case Verb::Peers:
    case Verb::Routes:
    case Verb::Check:
    case Verb::Leave:
    case Verb::Up:
    case Verb::Down:
      break;
  }
  return {};
}

Result<void> check_level(const Arguments& arguments) {
  const auto processes = log_processes();
  if (std::find(processes.begin(), processes.end(), arguments.first) == processes.end())
    return bad("'" + arguments.first +
               "' is no process: cryptod, tapd, keyd, metad, registry, signer or all");
  if (arguments.second != "debug" && arguments.second != "configured")
    return bad("'" + arguments.second +
               "' is no level to set: debug, or configured (that of wattle.conf)");
  if (arguments.follow) return bad("--follow does not go with a level");
  return {};
}

Result<void> check_positional(const Arguments& arguments, std::size_t count) {
  const VerbInfo& verb = info_of(arguments.verb);
  const auto wrong = [&verb](std::string_view what) {
    return bad(std::string(what) + ": wattle " + std::string(verb.name) + " " +
               std::string(verb.usage));
  };
  const Shape shape = shape_of(verb.verb, count);
  if (arguments.help) return {};
  if (count > shape.most) return wrong("too many words");
  if (count < shape.least)
    return wrong(verb.verb == Verb::Join  ? "which invite"
                 : verb.verb == Verb::Log ? "which level"
                                          : "which member");
  if (shape.network < count) {
    const std::string& net = shape.network == 0   ? arguments.first
                             : shape.network == 1 ? arguments.second
                                                  : arguments.third;
    if (!is_network_name(net))
      return bad("'" + net + "' is no network name: 1 to 12 of a-z and 0-9");
  }
  if (shape.names_member && !is_node_name(arguments.first))
    return bad("'" + arguments.first + "' is no member's name: 1 to 63 of a-z, 0-9 and -");
  if (verb.verb == Verb::Log && count >= 2) return check_level(arguments);
  return {};
}

}  // namespace

std::span<const std::string_view> log_processes() {
  static constexpr std::string_view kNames[] = {"all",  "cryptod",  "keyd",  "metad",
                                                "tapd", "registry", "signer"};
  return kNames;
}

std::span<const VerbInfo> verbs() { return kVerbs; }

const VerbInfo& info_of(Verb verb) { return kVerbs[static_cast<std::size_t>(verb)]; }

const VerbInfo* find_verb(std::string_view word) {
  for (const VerbInfo& verb : kVerbs)
    if (verb.name == word) return &verb;
  return nullptr;
}

const VerbInfo* suggest_verb(std::string_view word) {
  if (word.empty() || word.size() > 32) return nullptr;
  const VerbInfo* best = nullptr;
  std::size_t best_distance = 3;
  for (const VerbInfo& verb : kVerbs) {
    const bool begins = word.size() >= 2 && verb.name.starts_with(word);
    const std::size_t d = begins ? 0 : distance(word, verb.name);
    if (d < best_distance && d < verb.name.size()) {
      best = &verb;
      best_distance = d;
    }
  }
  return best;
}

std::string usage() {
  std::string out = "wattle: a mesh network for Linux\n\nusage: wattle VERB [arguments]\n\n";
  for (const VerbInfo& verb : kVerbs) {
    std::string left = "  " + std::string(verb.name) + " " + std::string(verb.usage);
    left.resize(std::max<std::size_t>(left.size() + 2, 40), ' ');
    out += left + std::string(verb.summary) + "\n";
  }
  out += "\nNET may be left out when this host is in one network only. See wattle(8).\n";
  return out;
}

std::string usage_of(Verb verb) {
  const VerbInfo& info = info_of(verb);
  return "usage: wattle " + std::string(info.name) + " " + std::string(info.usage) + "\n  " +
         std::string(info.summary) + "\n";
}

Result<Arguments> parse_arguments(const std::vector<std::string>& words) {
  Arguments out;
  if (words.empty()) return bad("say what to do");
  std::string_view first = words[0];
  if (first == "--help" || first == "-h") first = "help";
  if (first == "--version" || first == "-V") first = "version";
  const VerbInfo* verb = find_verb(first);
  if (verb == nullptr) {
    const VerbInfo* meant = suggest_verb(first);
    std::string sentence = "there is no verb '" + words[0] + "'";
    if (meant != nullptr) sentence += "; did you mean '" + std::string(meant->name) + "'?";
    return bad(std::move(sentence));
  }
  out.verb = verb->verb;
  std::vector<std::string> positional;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.size() < 2 || word[0] != '-') {
      positional.push_back(word);
      continue;
    }
    const std::size_t equals = word.starts_with("--") ? word.find('=') : std::string::npos;
    const std::string name = word.substr(0, equals);
    const Option* option = find_option(out.verb, name);
    if (option == nullptr)
      return bad("wattle " + std::string(verb->name) + " knows no option '" + name + "'");
    std::string value = equals == std::string::npos ? std::string() : word.substr(equals + 1);
    if (!option->takes_value && equals != std::string::npos)
      return bad("'" + name + "' takes no value");
    if (option->takes_value && equals == std::string::npos) {
      if (i + 1 == words.size()) return bad("'" + name + "' wants a value");
      value = words[++i];
    }
    WATTLE_TRY(take_option(*option, value, out));
  }
  if (!positional.empty()) out.first = positional[0];
  if (positional.size() > 1) out.second = positional[1];
  if (positional.size() > 2) out.third = positional[2];
  WATTLE_TRY(check_positional(out, positional.size()));
  return out;
}

}  // namespace wattle::ctl
