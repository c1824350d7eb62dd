#include "tapd/settings.h"

#include <algorithm>

#include "common/base/mutant.h"
#include "common/base/parse.h"

namespace wattle::tapd {
namespace {

Error config_error(std::string sentence) { return {Errc::Config, std::move(sentence)}; }

std::string place(std::string_view file, unsigned line) {
  return std::string(file) + ":" + std::to_string(line);
}

Result<std::uint16_t> parse_bounded(std::string_view text, std::uint16_t low, std::uint16_t high,
                                    const std::string& name) {
  const auto number = parse_decimal(text, high);
  if (!number || WATTLE_CHECKED(tapd_bounds, number.value() < low))
    return config_error(name + " must be a number from " + std::to_string(low) + " to " +
                        std::to_string(high) + ", not " + quoted(text));
  return static_cast<std::uint16_t>(number.value());
}

Result<std::string> parse_device(std::string_view text, const std::string& name) {
  const bool fine = !text.empty() && text.size() <= 15 && text != "." && text != ".." &&
                    std::ranges::all_of(text, [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
                    });
  if (!WATTLE_CHECKED(tapd_device, fine))
    return config_error(name + " must be 1 to 15 letters, digits, dots, - or _, not " +
                        quoted(text));
  return std::string(text);
}

Result<os::log::Level> parse_level(std::string_view text, const std::string& name) {
  os::log::Level level{};
  if (os::log::parse_level(text, level)) return level;
  return config_error(name + " must be error, warning, notice, info or debug, not " + quoted(text));
}

Result<IpPrefix> parse_own_address(const Entry& entry, std::uint8_t family, std::string_view file) {
  const auto prefix = IpPrefix::parse(entry.value);
  if (!prefix || prefix.value().address.family != family || prefix.value().length == 0 ||
      prefix.value().address.is_multicast() || prefix.value().address.is_loopback() ||
      prefix.value().address.is_unspecified())
    return config_error(place(file, entry.line) + ": " + std::string(entry.key) +
                        " must be an IPv" + std::to_string(family) +
                        " address with a prefix length, not " + quoted(entry.value));
  return prefix.value();
}

// The entry of that key, or null; more than one is an error.
Result<const Entry*> find_once(const std::vector<Entry>& entries, std::string_view key,
                               std::string_view file) {
  const Entry* found = nullptr;
  for (const Entry& entry : entries) {
    if (entry.key != key) continue;
    if (found != nullptr)
      return config_error(place(file, entry.line) + ": " + std::string(key) + " stands in line " +
                          std::to_string(found->line) + " already; keep one of them");
    found = &entry;
  }
  return found;
}

Result<void> read_config(Settings& out, std::string_view text, std::string_view file) {
  const auto entries = WATTLE_TRY(parse_entries(text, file));
  const auto at = [&](const Entry& entry) {
    return place(file, entry.line) + ": " + std::string(entry.key);
  };
  if (const Entry* entry = WATTLE_TRY(find_once(entries, "device", file)))
    out.device = WATTLE_TRY(parse_device(entry->value, at(*entry)));
  if (const Entry* entry = WATTLE_TRY(find_once(entries, "mtu", file)))
    out.mtu = WATTLE_TRY(parse_bounded(entry->value, kMinMtu, kMaxMtu, at(*entry)));
  if (const Entry* entry = WATTLE_TRY(find_once(entries, "port", file)))
    out.port = WATTLE_TRY(parse_bounded(entry->value, 1, 65535, at(*entry)));
  if (const Entry* entry = WATTLE_TRY(find_once(entries, "log-level", file)))
    out.log_level = WATTLE_TRY(parse_level(entry->value, at(*entry)));
  return {};
}

Result<void> read_member(Settings& out, std::string_view text, std::string_view file) {
  const auto entries = WATTLE_TRY(parse_entries(text, file));
  const Entry* mac = WATTLE_TRY(find_once(entries, "mac", file));
  if (mac == nullptr)
    return config_error(std::string(file) + " has no mac: join the network again");
  const auto parsed = MacAddress::parse(mac->value);
  if (!parsed ||
      WATTLE_CHECKED(tapd_mac, parsed.value().is_multicast() || parsed.value() == MacAddress{}))
    return config_error(place(file, mac->line) + ": mac must be a unicast Ethernet address, not " +
                        quoted(mac->value));
  out.mac = parsed.value();
  if (const Entry* entry = WATTLE_TRY(find_once(entries, "ipv4", file)))
    out.ipv4 = WATTLE_TRY(parse_own_address(*entry, 4, file));
  if (const Entry* entry = WATTLE_TRY(find_once(entries, "ipv6", file)))
    out.ipv6 = WATTLE_TRY(parse_own_address(*entry, 6, file));
  if (!out.ipv4 && !out.ipv6)
    return config_error(std::string(file) + " has neither ipv4 nor ipv6: join the network again");
  return {};
}

struct Option {
  std::string_view name;
  std::string_view value;
};

Result<void> apply_option(CommandLine& out, const Option& option) {
  const std::string name = "--" + std::string(option.name);
  const auto& [key, value] = option;
  if (key == "net") {
    if (!is_network_name(value))
      return config_error("--net must be 1 to 12 lower-case letters and digits, not " +
                          quoted(value));
    out.network = value;
  } else if (key == "config") {
    out.config = value;
  } else if (key == "member") {
    out.member = value;
  } else if (key == "crypto-socket") {
    out.crypto_socket = value;
  } else if (key == "log-level") {
    out.log_level = WATTLE_TRY(parse_level(value, name));
  } else if (key == "device") {
    out.device = WATTLE_TRY(parse_device(value, name));
  } else if (key == "mtu") {
    out.mtu = WATTLE_TRY(parse_bounded(value, kMinMtu, kMaxMtu, name));
  } else if (key == "port") {
    out.port = WATTLE_TRY(parse_bounded(value, 1, 65535, name));
  } else {
    return config_error("unknown option " + quoted(name) + "; see wattle-tapd --help");
  }
  return {};
}

}  // namespace

Result<std::vector<Entry>> parse_entries(std::string_view text, std::string_view file) {
  std::vector<Entry> entries;
  unsigned number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    line = line.substr(0, line.find('#'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    line = trim(line);
    if (line.empty()) continue;
    const std::size_t equals = line.find('=');
    const std::string_view key = trim(line.substr(0, equals));
    if (equals == std::string_view::npos || key.empty())
      return config_error(place(file, number) + ": expected \"key = value\", not " + quoted(line));
    entries.push_back({key, trim(line.substr(equals + 1)), number});
  }
  return entries;
}

Result<CommandLine> parse_command_line(const std::vector<std::string_view>& arguments) {
  CommandLine out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    if (argument == "--help" || argument == "--version") {
      out.action = argument == "--help" ? CommandLine::Action::Help : CommandLine::Action::Version;
      return out;
    }
    if (!argument.starts_with("--"))
      return config_error("unexpected argument " + quoted(argument) + "; see wattle-tapd --help");
    argument.remove_prefix(2);
    if (argument == "check") {
      out.action = CommandLine::Action::Check;
      continue;
    }
    Option option{argument.substr(0, argument.find('=')), {}};
    if (option.name.size() < argument.size()) {
      option.value = argument.substr(option.name.size() + 1);
    } else if (i + 1 < arguments.size()) {
      option.value = arguments[++i];
    } else {
      return config_error("--" + std::string(option.name.substr(0, 60)) + " needs a value");
    }
    WATTLE_TRY(apply_option(out, option));
  }
  if (out.network.empty()) return config_error("--net NET is missing; see wattle-tapd --help");
  return out;
}

Result<Settings> make_settings(const CommandLine& command, std::string_view config,
                               std::string_view config_file, std::string_view member,
                               std::string_view member_file) {
  Settings out;
  out.device = "wt-" + command.network;
  WATTLE_TRY(read_config(out, config, config_file));
  WATTLE_TRY(read_member(out, member, member_file));
  if (command.device) out.device = *command.device;
  if (command.mtu) out.mtu = *command.mtu;
  if (command.port) out.port = *command.port;
  if (command.log_level) out.log_level = *command.log_level;
  return out;
}

std::string help_text() {
  return "wattle-tapd: makes and keeps the network's virtual Ethernet card and UDP sockets\n"
         "\n"
         "  --net NET             name of the network (required)\n"
         "  --config FILE         instead of /etc/wattle/NET/wattle.conf\n"
         "  --member FILE         instead of /etc/wattle/NET/member.conf\n"
         "  --device NAME         name of the card (default wt-NET)\n"
         "  --mtu N               its largest packet in bytes, 576 to 9000 (default 1420)\n"
         "  --port N              UDP port of the network's traffic (default 8737)\n"
         "  --crypto-socket PATH  instead of /run/wattle/NET/crypto.tap\n"
         "  --log-level LEVEL     error, warning, notice, info (default) or debug\n"
         "  --check               look at both files, say whether they are right, and exit\n"
         "  --help, --version\n"
         "\n"
         "device, mtu, port and log-level may stand in wattle.conf, too. See wattle-tapd(8).\n";
}

}  // namespace wattle::tapd
