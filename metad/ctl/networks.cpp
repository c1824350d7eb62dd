#include "metad/ctl/networks.h"

#include <algorithm>
#include <filesystem>

#include "common/base/parse.h"
#include "common/os/file.h"
#include "metad/ctl/conf_template.h"

namespace wattle::ctl {

std::vector<std::string> configured_networks(const std::string& root) {
  std::vector<std::string> out;
  std::error_code error;
  std::filesystem::directory_iterator at(root + "/etc/wattle", error);
  for (; !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (is_network_name(name)) out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> joined_networks(const std::string& root) {
  std::vector<std::string> out = configured_networks(root);
  std::erase_if(out, [&root](const std::string& name) {
    return !os::exists(os::Paths(name, root).member());
  });
  return out;
}

Outcome choose_network(const std::string& asked, std::string& out, const std::string& root) {
  out = asked;
  if (!asked.empty()) return {};
  const std::vector<std::string> joined = joined_networks(root);
  if (joined.empty())
    return Failure{Exit::NotJoined,
                   "this host is in no network: sudo wattle join URL, with an invite"};
  if (joined.size() > 1) {
    std::string names;
    for (const std::string& name : joined) names += (names.empty() ? "" : ", ") + name;
    return Failure{Exit::Usage, "this host is in several networks, say which: " + names};
  }
  out = joined.front();
  return {};
}

Outcome read_member(const std::string& network, const os::Paths& paths, MemberConf& out) {
  const auto text = os::read_text(paths.member());
  if (!text && text.error().code == Errc::NotFound) {
    const bool pending = os::exists(paths.state + "/pending");
    if (os::exists(paths.state + "/pending/waits"))
      return Failure{Exit::NotJoined,
                     "this host's join of " + network +
                         " waits for approval by the network's administrator; run the same wattle "
                         "join again to wait on"};
    return Failure{
        Exit::NotJoined,
        pending
            ? "a join of " + network + " was begun and not finished: run the same wattle join again"
            : "this host is not in network " + network + ": sudo wattle join URL, with an invite"};
  }
  if (!text) return Failure{Exit::Config, text.error().text()};
  auto member = parse_member_conf(*text, paths.member());
  if (!member) return Failure{Exit::Config, member.error().text()};
  out = std::move(*member);
  return {};
}

std::string device_of(const std::string& network, const os::Paths& paths) {
  if (const auto text = os::read_text(paths.config()))
    if (const auto device = value_of_conf(*text, "device"); device && is_device_name(*device))
      return *device;
  return "wt-" + network;
}

}  // namespace wattle::ctl
