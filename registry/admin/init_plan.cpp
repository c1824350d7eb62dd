#include "registry/admin/init_plan.h"

#include <unistd.h>
#include <array>
#include <cctype>

#include "common/base/parse.h"
#include "common/os/file.h"
#include "common/os/random.h"
#include "common/os/socket_address.h"
#include "common/proto/invite.h"
#include "registry/core/route_table.h"
#include "registry/io/socket_address.h"

namespace wattle::registry {
namespace {

Result<void> check_name(const Settings& settings) {
  const std::string& name = settings.object;
  if (name.empty())
    return Error(Errc::BadSyntax, "say what the network is called: wattle-registry init NAME");
  if (!is_network_name(name))
    return Error(Errc::BadSyntax,
                 "\"" + name + "\" is no network name: use 1 to 12 of the characters a-z and 0-9");
  const os::Paths paths(name);
  for (const std::string& path :
       {paths.registry_config(), paths.genesis(), paths.state + "/signer", paths.member()})
    if (os::exists(path))
      return Error(Errc::Exists, "network " + name + " exists on this host (" + path +
                                     "): choose another name; nothing was changed");
  return {};
}

Result<IpPrefix> choose_prefix(const std::string& wanted, Random& random) {
  if (wanted.empty()) return random_ula(random);
  const auto prefix = IpPrefix::parse(wanted);
  if (!prefix || prefix->address.is_v4() || prefix->length < 16 || prefix->length > 112 ||
      prefix->network() != *prefix)
    return Error(Errc::BadSyntax, "--prefix " + wanted +
                                      " is not an IPv6 prefix of 16 to 112 bits, like "
                                      "fd12:3456:789a::/48 (host bits zero)");
  return prefix;
}

Result<IpPrefix> choose_ipv4(const std::string& wanted, Random& random) {
  const auto routes = os::read_text("/proc/net/route", 1024 * 1024);
  const std::vector<IpPrefix> taken =
      routes ? route_destinations(*routes) : std::vector<IpPrefix>();
  if (wanted.empty()) return random_ipv4_block(random, taken);
  const auto block = IpPrefix::parse(wanted);
  if (!block || !block->address.is_v4() || block->length < 8 || block->length > 29 ||
      block->network() != *block)
    return Error(Errc::BadSyntax, "--ipv4 " + wanted +
                                      " is not an IPv4 block of 8 to 29 bits, like 10.20.0.0/22 "
                                      "(host bits zero)");
  for (const IpPrefix& route : taken)
    if (route.overlaps(*block))
      return Error(Errc::Exists, "--ipv4 " + wanted + " clashes with this host's route to " +
                                     route.text() + ": choose another block");
  return block;
}

Result<std::vector<std::string>> choose_urls(const Settings& settings, std::uint16_t port) {
  for (const std::string& url : settings.urls)
    if (!is_registry_url(url))
      return Error(Errc::BadSyntax,
                   "--url " + url + " is not https://HOST:PORT, like https://198.51.100.7:8443");
  if (!settings.urls.empty()) return settings.urls;
  const auto own = own_address();
  if (!own)
    return Error(Errc::BadSyntax,
                 own.error().text() + ": say with --url https://HOST:8443 where nodes reach it");
  return std::vector<std::string>{"https://" + Endpoint{*own, port}.text()};
}

// Also tries whether the ports are free.
Result<std::uint16_t> check_listen(const std::vector<std::string>& wanted) {
  std::uint16_t port = 0;
  for (const std::string& text : wanted.empty() ? default_listen() : wanted) {
    const auto endpoint = Endpoint::parse(text);
    if (!endpoint)
      return Error(Errc::BadSyntax,
                   "--listen " + text + " is not ADDRESS:PORT, like 0.0.0.0:8443 or [::]:8443");
    const auto socket = os::listen_tcp(*endpoint);
    if (!socket && (socket.error().code != Errc::Unsupported || !wanted.empty()))
      return socket.error().code == Errc::Exists
                 ? Error(Errc::Exists, "another program listens on " + text +
                                           ": stop it, or say --listen ADDRESS:PORT")
                 : socket.error();
    if (port == 0) port = endpoint->port;
  }
  return port;
}

}  // namespace

Result<InitPlan> make_plan(const Settings& settings) {
  WATTLE_TRY(check_name(settings));
  if (!settings.detail.empty())
    return Error(Errc::BadSyntax, "init makes one network, without \"" + settings.detail + "\"");
  if (settings.lifetime < kMinLifetime || settings.lifetime > kMaxLifetime)
    return Error(Errc::BadSyntax,
                 "--lifetime is how long certificates last: 60s to 366d, like 12h or 30d");
  os::SystemRandom random;
  InitPlan plan;
  plan.lifetime = settings.lifetime;
  plan.approval = settings.approval;
  plan.network = settings.object;
  plan.prefix = WATTLE_TRY(choose_prefix(settings.prefix, random));
  plan.ipv4 = WATTLE_TRY(choose_ipv4(settings.ipv4, random));
  plan.listen = settings.listen;
  const std::uint16_t port = WATTLE_TRY(check_listen(settings.listen));
  plan.urls = WATTLE_TRY(choose_urls(settings, port));
  return plan;
}

std::string config_text(const InitPlan& plan) {
  std::string out = "# The registry of wattle network " + plan.network +
                    ": read by wattle-registry (serve, invite) and wattle-signer.\n"
                    "# After a change: wattle down " +
                    plan.network + ", then wattle up " + plan.network +
                    ".\n\n"
                    "# Where it listens for HTTPS: ADDRESS:PORT; may repeat.\n";
  for (const std::string& listen : plan.listen.empty() ? default_listen() : plan.listen)
    out += (plan.listen.empty() ? "#listen = " : "listen = ") + listen + "\n";
  out += "\n# Under which URL nodes reach it; the first one stands in invites. May repeat.\n";
  for (const std::string& url : plan.urls) out += "url = " + url + "\n";
  out +=
      "\n# yes: who joins waits until wattle-registry node approve NAME. Judged by the signer.\n";
  out += plan.approval ? "approval = yes\n" : "#approval = no\n";
  out += "\n# What it logs: error, warning, notice, info or debug.\n#log-level = info\n";
  return out;
}

std::string host_of(const std::string& url) {
  std::string host = url.substr(url.find("://") + 3);
  if (host.starts_with("[")) return host.substr(1, host.find(']') - 1);
  return host.substr(0, host.find(':'));
}

std::string own_node_name() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "registry";
  std::string out;
  for (const char c : std::string_view(name.data())) {
    if (c == '.') break;
    const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (is_node_name(std::string_view(&lower, 1)) && out.size() < 63) out.push_back(lower);
  }
  return out.empty() ? "registry" : out;
}

}  // namespace wattle::registry
