#include "registry/admin/settings.h"

#include <dirent.h>
#include <algorithm>
#include <cstdio>
#include <memory>

#include "common/base/parse.h"
#include "common/net/endpoint.h"
#include "common/os/file.h"
#include "common/os/log.h"
#include "common/os/options.h"
#include "common/proto/invite.h"

namespace wattle::registry {
namespace {

std::vector<std::string> networks_here(const std::string& root) {
  std::vector<std::string> out;
  const std::string folder = root + "/etc/wattle";
  const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(folder.c_str()), closedir);
  if (!open) return out;
  while (const dirent* entry = readdir(open.get())) {
    const std::string name = entry->d_name;
    if (is_network_name(name) && os::exists(os::Paths(name, root).registry_config()))
      out.push_back(name);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::optional<std::string> judge_listen(const std::string& value) {
  if (Endpoint::parse(value)) return std::nullopt;
  return "needs ADDRESS:PORT, like 0.0.0.0:8443 or [::]:8443, not '" + value + "'";
}

std::optional<std::string> judge_url(const std::string& value) {
  if (is_registry_url(value)) return std::nullopt;
  return "needs https://HOST:PORT, like https://198.51.100.7:8443, not '" + value + "'";
}

}  // namespace

bool is_registry_url(const std::string& text) {
  Invite invite;
  invite.base = text;
  invite.network = std::string(1, 'n');  // any; of one assigned literal GCC 12 warns falsely
  const auto parsed = parse_invite(build_invite(invite));
  return parsed && parsed->base == text;
}

int fail(Exit code, const std::string& sentence) {
  std::fprintf(stderr, "wattle-registry: %s\n", sentence.c_str());
  return static_cast<int>(code);
}

int fail(const Error& error) {
  switch (error.code) {
    case Errc::Config:
      return fail(Exit::Config, error.text());
    case Errc::BadSyntax:
      return fail(Exit::Usage, error.text());
    case Errc::Closed:
      return fail(Exit::NotRunning, error.text());
    case Errc::Again:
    case Errc::Timeout:
      return fail(Exit::Temporary, error.text());
    default:
      return fail(Exit::General, error.text());
  }
}

Result<void> read_config(Settings& settings) {
  Settings file;
  os::Options options("registry.conf", "");
  options.list("listen", file.listen, "").allow(judge_listen);
  options.list("url", file.urls, "").allow(judge_url);
  options.choice("log-level", file.log_level, os::log::level_words(), "");
  options.flag("approval", file.approval, "");  // the signer's to read
  const char* const argv[] = {"registry.conf"};
  WATTLE_TRY(
      options.parse(1, argv, os::Paths(settings.network, settings.root).registry_config(), true));
  if (settings.listen.empty()) settings.listen = file.listen;
  if (settings.urls.empty()) settings.urls = file.urls;
  if (settings.log_level == Settings().log_level) settings.log_level = file.log_level;
  if (settings.listen.empty()) settings.listen = default_listen();
  return {};
}

Result<std::string> choose_network(const Settings& settings) {
  if (!settings.network.empty()) {
    if (!is_network_name(settings.network))
      return Error(Errc::BadSyntax,
                   "\"" + settings.network + "\" is no network name: 1 to 12 of a-z and 0-9");
    if (!os::exists(os::Paths(settings.network, settings.root).registry_config()))
      return Error(Errc::NotFound, "this host has no registry of a network " + settings.network);
    return settings.network;
  }
  const std::vector<std::string> here = networks_here(settings.root);
  if (here.size() == 1) return here[0];
  if (here.empty())
    return Error(Errc::NotFound,
                 "this host has no registry: make one with wattle-registry init NAME");
  std::string all;
  for (const std::string& name : here) all += (all.empty() ? "" : ", ") + name;
  return Error(Errc::BadSyntax, "this host has several registries (" + all + "): say --net NAME");
}

}  // namespace wattle::registry
