#include "metad/ctl/member_conf.h"

#include <bitset>

#include "common/base/hex.h"
#include "common/base/parse.h"

namespace wattle::ctl {

namespace {

constexpr std::string_view kKeys[] = {"name", "address", "network-id", "mac",
                                      "ipv4", "ipv6",    "prefix"};
constexpr std::size_t kKeyCount = std::size(kKeys);

Result<void> set_prefix(std::string_view value, bool v4, IpPrefix& out) {
  out = WATTLE_TRY(IpPrefix::parse(value));
  if (out.address.is_v4() != v4) return Errc::BadValue;
  return {};
}

Result<void> set_network_id(std::string_view value, NetworkId& out) {
  const Bytes bytes = WATTLE_TRY(parse_hex(value));
  if (bytes.size() != out.size()) return Errc::BadValue;
  out = to_array<16>(bytes);
  return {};
}

Result<void> set_field(std::size_t key, std::string_view value, MemberConf& out) {
  switch (key) {
    case 0:
      if (!is_node_name(value)) return Errc::BadValue;
      out.name = value;
      return {};
    case 1:
      out.address = WATTLE_TRY(parse_address_text(value));
      return {};
    case 2:
      return set_network_id(value, out.network_id);
    case 3:
      out.mac = WATTLE_TRY(MacAddress::parse(value));
      return {};
    case 4:
      return set_prefix(value, true, out.ipv4);
    case 5:
      return set_prefix(value, false, out.ipv6);
    default:
      return set_prefix(value, false, out.prefix);
  }
}

std::size_t index_of(std::string_view key) {
  for (std::size_t i = 0; i < kKeyCount; ++i)
    if (kKeys[i] == key) return i;
  return kKeyCount;
}

Error at_line(std::string_view file, std::size_t line, std::string_view what) {
  return {Errc::Config,
          std::string(file) + " line " + std::to_string(line) + ": " + std::string(what)};
}

}  // namespace

std::string build_member_conf(const MemberConf& member) {
  std::string out = "# What this host is in the network. Written by wattle join; do not edit.\n";
  const auto line = [&out](std::string_view key, const std::string& value) {
    out.append(key).append(" = ").append(value).append("\n");
  };
  line("name", member.name);
  line("address", member.address.text());
  line("network-id", to_hex(member.network_id));
  line("mac", member.mac.text());
  line("ipv4", member.ipv4.text());
  line("ipv6", member.ipv6.text());
  line("prefix", member.prefix.text());
  return out;
}

Result<MemberConf> parse_member_conf(std::string_view text, std::string_view file) {
  MemberConf out;
  std::bitset<kKeyCount> seen;
  std::size_t number = 0;
  for (const std::string_view raw : split(text, '\n')) {
    ++number;
    const std::string_view line = trim(raw);
    if (line.empty() || line.front() == '#') continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) return at_line(file, number, "expected 'key = value'");
    const std::string_view key = trim(line.substr(0, equals));
    const std::size_t index = index_of(key);
    if (index == kKeyCount) continue;
    if (!set_field(index, trim(line.substr(equals + 1)), out))
      return at_line(file, number, "'" + std::string(key) + "' has no valid value");
    seen.set(index);
  }
  for (std::size_t i = 0; i < kKeyCount; ++i)
    if (!seen.test(i)) return at_line(file, number, "'" + std::string(kKeys[i]) + "' is missing");
  return out;
}

}  // namespace wattle::ctl
