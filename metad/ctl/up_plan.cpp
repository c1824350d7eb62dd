#include "metad/ctl/up_plan.h"

#include <cstdlib>

namespace wattle::ctl {
namespace {

using os::SocketKind;

constexpr SocketPlan kCryptodSockets[] = {
    {"crypto.tap", "tap", SocketKind::Seqpacket, "tap"},
    {"crypto.meta", "meta", SocketKind::Seqpacket, "meta"},
    {"crypto.key", "key", SocketKind::Seqpacket, "key"},
};
constexpr SocketPlan kKeydSockets[] = {{"key", "key", SocketKind::Seqpacket, "meta"}};
constexpr SocketPlan kMetadSockets[] = {{"meta", "meta", SocketKind::Stream, "look"}};
constexpr SocketPlan kSignerSockets[] = {
    {"sign", "sign", SocketKind::Seqpacket, "registry"},
    {"sign.admin", "sign.admin", SocketKind::Seqpacket, "root"},
};

constexpr DaemonPlan kDaemons[] = {
    {"wattle-cryptod", "", "crypto", true, true, false, false, kCryptodSockets},
    {"wattle-keyd", "", "key", true, true, false, false, kKeydSockets},
    {"wattle-tapd", "", "tap", true, false, true, false, {}},
    {"wattle-metad", "", "meta", true, false, false, false, kMetadSockets},
    {"wattle-signer", "", "signer", false, true, false, false, kSignerSockets},
    {"wattle-registry", "serve", "registry", false, true, false, true, {}},
};

}  // namespace

std::span<const DaemonPlan> all_daemons() { return kDaemons; }

std::vector<std::string> make_environment(const EnvironmentPlan& plan, int pid) {
  const std::string own = std::to_string(pid);
  std::vector<std::string> out = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"};
  if (!plan.descriptor_names.empty()) {
    std::string names;
    for (const std::string& name : plan.descriptor_names)
      names += (names.empty() ? "" : ":") + name;
    out.push_back("LISTEN_PID=" + own);
    out.push_back("LISTEN_FDS=" + std::to_string(plan.descriptor_names.size()));
    out.push_back("LISTEN_FDNAMES=" + names);
  }
  out.push_back("NOTIFY_SOCKET=" + plan.notify_path);
  if (plan.watchdog_us != 0) {
    out.push_back("WATCHDOG_PID=" + own);
    out.push_back("WATCHDOG_USEC=" + std::to_string(plan.watchdog_us));
  }
#ifdef WATTLE_SANITIZED
  for (const char* name : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"})
    if (const char* value = std::getenv(name)) out.push_back(std::string(name) + "=" + value);
#endif
  return out;
}

}  // namespace wattle::ctl
