// wattle-signer: holds a network's CA, credential and document keys and answers two lanes.
#include <sys/stat.h>
#include <csignal>
#include <cstdio>

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/parse.h"
#include "common/crypto/init.h"
#include "common/crypto/key_heap.h"
#include "common/os/event_loop.h"
#include "common/os/log.h"
#include "common/os/options.h"
#include "common/os/paths.h"
#include "common/os/service.h"
#include "common/os/users.h"
#include "registry/signer/policy.h"
#include "registry/signer/signer.h"
#include "registry/signer/store.h"

namespace wattle::signer {
namespace {

constexpr int kConfigError = 78;

struct Settings {
  std::string verb, network, root, registry_user, prefix, ipv4, https_key, log_level = "info";
  std::vector<std::string> urls;
  std::uint64_t lifetime = registry::kLifetime;
  bool check = false;
  std::string folder() const { return os::Paths(network, root).state + "/signer"; }
};

int fail(const Error& error) {
  os::log::error(error.text());
  const bool config = error.code == Errc::Config || error.code == Errc::NotFound ||
                      error.code == Errc::BadValue || error.code == Errc::BadSyntax;
  return config ? kConfigError : os::exit_code(error);
}

Result<NetworkPlan> plan_of(const Settings& settings) {
  NetworkPlan plan;
  plan.network = settings.network;
  plan.prefix = WATTLE_TRY(IpPrefix::parse(settings.prefix));
  plan.ipv4 = WATTLE_TRY(IpPrefix::parse(settings.ipv4));
  const Bytes key = WATTLE_TRY(parse_hex(settings.https_key));
  if (key.size() != plan.https_key.size())
    return Error(Errc::Config, "--https-key must be 64 hexadecimal digits");
  if (plan.prefix.address.is_v4() || !plan.ipv4.address.is_v4())
    return Error(Errc::Config, "--prefix must be an IPv6 prefix and --ipv4 an IPv4 one");
  plan.https_key = to_array<32>(key);
  plan.urls = settings.urls;
  if (settings.lifetime < registry::kMinLifetime || settings.lifetime > registry::kMaxLifetime)
    return Error(Errc::Config, "--lifetime must be 60s to 366d");
  plan.lifetime = settings.lifetime;
  return plan;
}

// Prints the genesis: `wattle-registry init`, which runs this as the signer's user, stores it.
int init(const Settings& settings) {
  const auto plan = plan_of(settings);
  if (!plan) return fail(plan.error());
  const auto genesis = make_store(settings.folder(), *plan, os::unix_now());
  if (!genesis) return fail(genesis.error());
  return std::fwrite(genesis->data(), 1, genesis->size(), stdout) == genesis->size() ? 0 : 1;
}

Result<Bytes> read_input() {
  Bytes out;
  Bytes buffer(64 * 1024);
  for (;;) {
    const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), stdin);
    out.insert(out.end(), buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size));
    if (size < buffer.size()) break;
  }
  if (std::ferror(stdin) != 0) return Error(Errc::System, "cannot read the standard input");
  return out;
}

// For `wattle-registry restore`, which runs both as the signer's user on what it is about to put in
// place; what they print, it prints.
int check(const Settings& settings) {
  const auto opened = open_store(settings.folder(), settings.network);
  if (!opened) return fail(opened.error());
  const Ledger& ledger = opened->ledger;
  std::printf("  judged whole: %llu entries, %zu members, document version %llu\n",
              static_cast<unsigned long long>(ledger.next_sequence()), ledger.member_count(),
              static_cast<unsigned long long>(ledger.document().version));
  return 0;
}

int lost(const Settings& settings) {
  auto opened = open_store(settings.folder(), settings.network);
  if (!opened) return fail(opened.error());
  const auto input = read_input();
  if (!input) return fail(input.error());
  const auto words = record_loss(*opened, *input, os::unix_now_ms());
  if (!words) return fail(words.error());
  return std::fputs(words->c_str(), stdout) < 0 ? 1 : 0;
}

// Of registry.conf; its other keys are the registry's, and judged there.
Result<bool> read_approval(const Settings& settings, bool required) {
  bool approval = false;
  std::vector<std::string> listen, urls;
  std::string log_level;
  os::Options options("registry.conf", "");
  options.flag("approval", approval, "").list("listen", listen, "").list("url", urls, "");
  options.text("log-level", log_level, "");
  const char* const argv[] = {"registry.conf"};
  WATTLE_TRY(options.parse(1, argv, os::Paths(settings.network, settings.root).registry_config(),
                           required));
  return approval;
}

Result<void> serve(const Settings& settings) {
  auto service = WATTLE_TRY(os::Service::open(os::Paths(settings.network, settings.root).run));
  os::Fd sign = WATTLE_TRY(service.take("sign"));
  os::Fd sign_admin = WATTLE_TRY(service.take("sign.admin"));
  const os::User registry = WATTLE_TRY(os::find_user(settings.registry_user));
  // Read by itself, before the seal: a registry that was broken into cannot let anyone in.
  const bool approval = WATTLE_TRY(read_approval(settings, true));
  Opened opened = WATTLE_TRY(open_store(settings.folder(), settings.network));
  os::EventLoop loop;
  os::Watch terminate = loop.on_signal(SIGTERM, [&loop] { loop.stop(); });
  os::Watch interrupt = loop.on_signal(SIGINT, [&loop] { loop.stop(); });
  Signer signer(loop, std::move(opened.journal), std::move(opened.ledger), std::move(opened.keys),
                approval ? Joins::Approved : Joins::Open);
  WATTLE_TRY(os::enter(policy()));
  signer.listen(std::move(sign), registry.uid, std::move(sign_admin), 0);
  signer.renew_document();
  os::Watch dog;
  if (service.watchdog_us() != 0)
    dog = loop.every(std::chrono::microseconds(service.watchdog_us() / 3),
                     [&service] { service.watchdog(); });
  service.ready();
  os::log::notice("serves", {{os::log::Key::Net, settings.network}});
  loop.run();
  return {};
}

int run(int argc, char** argv) {
  Settings s;
  os::Options options("wattle-signer",
                      "holds the keys of a wattle network and judges who joins it");
  options
      .positional("verb", s.verb,
                  "nothing (serve); init: make keys and journal; check or lost: of a restore")
      .text("net", s.network, "the network's name")
      .text("root", s.root, "put before /etc, /var/lib and /run")
      .text("registry-user", s.registry_user, "who may connect to the lane \"sign\"")
      .text("prefix", s.prefix, "init: the network's IPv6 prefix")
      .text("ipv4", s.ipv4, "init: the network's IPv4 block")
      .text("https-key", s.https_key, "init: SHA-256 of the registry's public key, in hex")
      .list("url", s.urls, "init: where the registry is reached")
      .seconds("lifetime", s.lifetime, "init: how long certificates last (default 30d)")
      .switch_only("check", s.check, "look at the settings, say whether they are right, and exit")
      .choice("log-level", s.log_level, os::log::level_words(),
              "error, warning, notice, info or debug");
  const auto outcome = options.parse(argc, argv);
  if (!outcome) return fail(outcome.error());
  if (*outcome == os::Options::Outcome::Help) return std::puts(options.help().c_str()) < 0 ? 1 : 0;
  if (*outcome == os::Options::Outcome::Version)
    return std::puts("wattle-signer " WATTLE_VERSION) < 0 ? 1 : 0;
  os::log::Level level = os::log::Level::Info;
  WATTLE_CHECK(os::log::parse_level(s.log_level, level));
  os::log::set_level(level);
  if (!is_network_name(s.network))
    return fail(Error(Errc::Config, "say which network with --net NAME (1 to 12 of a-z, 0-9)"));
  if (s.registry_user.empty()) s.registry_user = os::user_name(s.network, "registry");
  if (s.check) {
    if (const auto read = read_approval(s, false); !read) return fail(read.error());
    return std::puts("wattle-signer: all right") < 0 ? 1 : 0;
  }
  crypto::init();
  if (s.verb == "init") return init(s);
  if (s.verb == "check") return check(s);
  if (s.verb == "lost") return lost(s);
  if (!s.verb.empty())
    return fail(Error(Errc::Config,
                      "unknown verb " + s.verb + ": leave it out, or say init, check or lost"));
  const auto served = serve(s);
  return served ? 0 : fail(served.error());
}

}  // namespace
}  // namespace wattle::signer

int main(int argc, char** argv) {
  umask(077);
  wattle::crypto::open_key_heap();
  wattle::os::log::open("signer");
  return wattle::signer::run(argc, argv);
}
