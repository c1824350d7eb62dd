// wattle-registry: makes a network, serves its HTTPS API, and what an administrator asks of it.
#include <cstdio>

#include "common/base/parse.h"
#include "common/crypto/init.h"
#include "common/crypto/key_heap.h"
#include "common/os/log.h"
#include "common/os/options.h"
#include "registry/admin/verbs.h"

namespace wattle::registry {
namespace {

constexpr const char* kVerbs =
    "Verbs:\n"
    "  init NET       make a network on this host, start it, and join it\n"
    "  invite NAME    print the one URL with which one machine joins as NAME\n"
    "  node [NET] list              the members\n"
    "  node [NET] show NAME         one member\n"
    "  node [NET] rename OLD NEW    give a member another name\n"
    "  node [NET] revoke NAME       throw a member out, for ever\n"
    "  node [NET] approve NAME      let in a machine that waits (approval = yes)\n"
    "  node [NET] reject NAME       or not, for ever\n"
    "  node [NET] relay NAME on|off let a member relay for others, or no more\n"
    "  network [NET] show           the network\n"
    "  network [NET] set KEY VALUE  mtu, broadcast, min-protocol or ttl for all members\n"
    "  key [NET] list               the network's keys, and who depends on an older one\n"
    "  key [NET] rotate KIND        make a new key: document, credential or ca\n"
    "  key [NET] retire KIND        the older one is good no more: credential or ca\n"
    "  backup FOLDER  copy everything that makes the registry into a new folder, while it runs\n"
    "  restore FOLDER put such a copy in place; the network must be down on this host\n"
    "  accept-clock   this host's clock is right: let the signer sign again\n"
    "  audit          check the journal's chain, and the database against it\n"
    "  serve          the daemon (started by systemd or wattle up)\n";

int run(int argc, char** argv) {
  Settings s;
  os::Options options("wattle-registry", "makes a wattle network and hands out its memberships");
  options
      .positional("verb", s.verb,
                  "init, invite, node, network, key, backup, restore, audit, accept-clock or serve")
      .positional("object", s.object, "what the verb is about")
      .positional("name", s.detail, "node: whose; network set: which parameter; key: which kind")
      .positional("value", s.value, "node rename, node relay, network set: what it becomes")
      .positional("last", s.last, "the value, where the network stands behind the verb")
      .text("net", s.network, "the network, where this host has several registries")
      .text("prefix", s.prefix, "init: the network's IPv6 prefix (default: a random ULA /48)")
      .text("ipv4", s.ipv4, "init: its IPv4 block (default: a free random /22 of 10.0.0.0/8)")
      .list("url", s.urls, "init: https://HOST:PORT under which nodes reach it")
      .list("listen", s.listen, "init: ADDRESS:PORT of the HTTPS listener")
      .switch_only("no-member", s.no_member, "init: do not join this host to the network")
      .number("prefix-length", s.prefix_length, "invite: bits of the member's prefix (default 16)")
      .seconds("expires", s.expires, "invite: how long it is good for (default 24h)")
      .seconds("lifetime", s.lifetime, "init: how long certificates last (default 30d)")
      .switch_only("relay", s.relay, "invite: the member may relay for others")
      .switch_only("approved", s.approved, "invite: its join need not wait for approval")
      .switch_only("approval", s.approval, "init: joins wait until node approve NAME")
      .switch_only("qr", s.qr, "invite: print it as a QR code, too")
      .switch_only("json", s.json, "node, network, key: JSON for programs")
      .switch_only("force", s.force, "key retire: though members have nothing newer yet")
      .switch_only("journal-lost", s.journal_lost,
                   "restore: the newest journal is lost; hand out nothing that it may have")
      .text("document", s.document, "restore: a newer network document, of any member")
      .text("root", s.root, "put before /etc, /var/lib and /run")
      .switch_only("check", s.check, "serve: look at the settings, say whether they are right, end")
      .choice("log-level", s.log_level, os::log::level_words(),
              "serve: error, warning, notice, info or debug");
  const auto outcome = options.parse(argc, argv);
  if (!outcome) return fail(Exit::Usage, outcome.error().text());
  if (*outcome == os::Options::Outcome::Help)
    return std::printf("%s\n%s", options.help().c_str(), kVerbs) < 0 ? 1 : 0;
  if (*outcome == os::Options::Outcome::Version)
    return std::puts("wattle-registry " WATTLE_VERSION) < 0 ? 1 : 0;
  if (s.verb == "serve") crypto::open_key_heap();
  crypto::init();
  if (s.verb == "init") return run_init(s);
  if (s.verb == "invite") return run_invite(s);
  if (s.verb == "node") return run_node(s);
  if (s.verb == "network") return run_network(s);
  if (s.verb == "key") return run_key(s);
  if (s.verb == "audit") return run_audit(s);
  if (s.verb == "accept-clock") return run_accept_clock(s);
  if (s.verb == "backup") return run_backup(s);
  if (s.verb == "restore") return run_restore(s);
  if (s.verb == "serve") return run_serve(s);
  if (s.verb.empty()) return fail(Exit::Usage, "say what to do; wattle-registry --help lists it");
  return fail(Exit::Usage,
              "there is no verb \"" + s.verb + "\"; wattle-registry --help lists them");
}

}  // namespace
}  // namespace wattle::registry

int main(int argc, char** argv) { return wattle::registry::run(argc, argv); }
