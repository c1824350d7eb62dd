#include "metad/ctl/conf_template.h"

#include <algorithm>

#include "common/base/parse.h"

namespace wattle::ctl {

std::string build_conf_template(std::string_view network, std::uint16_t port,
                                const std::optional<std::string>& device) {
  const std::string net(network);
  std::string out;
  out += "# wattle, network " + net +
         ": settings of this host. Written once by wattle join; no program\n";
  out += "# changes it afterwards. Take away the # before a key to set it; see wattle.conf(5).\n";
  out += "# After a change: wattle down " + net + ", then wattle up " + net + ".\n\n";
  out += "# UDP and TCP port for other members. Let it through your firewall if you can; wattle\n";
  out += "# works without as long as one side of each pair can be reached.\n";
  out += "port = " + std::to_string(port) + "\n\n";
  out += "# Name of the network device.\n";
  out += device ? "device = " + *device + "\n\n" : "#device = wt-" + net + "\n\n";
  out += "# MTU of the device, 576 to 9000.\n#mtu = 1420\n\n";
  out +=
      "# An address of this host as seen from outside, with or without a port, when it cannot be\n";
  out += "# found out by itself (a fixed port forwarding, say). May be repeated.\n";
  out += "#ip = 192.0.2.1\n#ip = 192.0.2.1:8737\n\n";
  out += "# A member to connect to at start and to stay connected with. May be repeated.\n";
  out += "#connect = 192.0.2.2:8737\n\n";
  out +=
      "# Pass on packets of other members: yes, no, or at most so many bytes a second for each\n";
  out += "# of them, such as 500k or 20M.\n#relay = yes\n\n";
  out +=
      "# What is left to the kernel and to network cards: all, none, or some of csum, tso, uso,\n";
  out += "# gso and gro with commas between them. For looking for faults.\n#offload = all\n\n";
  out += "# How the network device is read and written: auto, epoll or uring.\n#io = auto\n\n";
  out += "# Ask other members to reach this host only through others, never directly.\n";
  out += "#indirect = no\n\n";
  out += "# Ask other members to send no UDP to this host.\n#tcp-only = no\n\n";
  out += "# error, warning, notice, info or debug.\n#log-level = info\n";
  return out;
}

bool is_device_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= 15 && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), allowed);
}

std::vector<std::string> values_of_conf(std::string_view text, std::string_view key) {
  std::vector<std::string> values;
  for (const std::string_view raw : split(text, '\n')) {
    const std::string_view line = trim(raw.substr(0, raw.find('#')));
    const std::size_t equals = line.find('=');
    if (equals != std::string_view::npos && trim(line.substr(0, equals)) == key)
      values.emplace_back(trim(line.substr(equals + 1)));
  }
  return values;
}

std::optional<std::string> value_of_conf(std::string_view text, std::string_view key) {
  auto values = values_of_conf(text, key);
  if (values.empty()) return std::nullopt;
  return std::move(values.back());
}

std::optional<std::uint16_t> port_of_conf(std::string_view text) {
  const auto value = value_of_conf(text, "port");
  if (!value) return std::nullopt;
  const auto port = parse_decimal(*value, 65535);
  if (!port || *port == 0) return std::nullopt;
  return static_cast<std::uint16_t>(*port);
}

}  // namespace wattle::ctl
