// wattle-keyd: holds the node's identity key and signs three kinds of things with it
// (wattle-keyd(8)).
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <csignal>
#include <cstdio>

#include "common/base/check.h"
#include "common/base/parse.h"
#include "common/base/secret.h"
#include "common/crypto/init.h"
#include "common/crypto/key_heap.h"
#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/os/options.h"
#include "common/os/paths.h"
#include "common/os/service.h"
#include "common/proto/genesis.h"
#include "cryptod/keys/io/counter_file.h"
#include "cryptod/keys/io/policy.h"
#include "cryptod/keys/io/server.h"

namespace wattle::keys {
namespace {

constexpr Duration kConnectPatience = std::chrono::seconds(10);
constexpr useconds_t kConnectPauseUs = 50000;
constexpr int kExitConfig = 78;
constexpr std::size_t kMaxKeyFile = 16 * 1024;

struct Settings {
  std::string net, identity, counter, genesis, cryptod, log_level = "info";
  std::string meta_user;  // a name or a number
  bool check = false;
};

Result<os::Options::Outcome> read_settings(int argc, const char* const* argv, Settings& s,
                                           std::string& help) {
  os::Options options("wattle-keyd", "keeps a node's identity key and signs with it");
  options.text("net", s.net, "name of the network (needed)")
      .text("identity", s.identity,
            "file of the identity key, PEM [/var/lib/wattle/NET/key/identity]")
      .text("counter", s.counter, "counter file [/var/lib/wattle/NET/key/counter]")
      .text("genesis", s.genesis, "genesis document [/etc/wattle/NET/genesis]")
      .text("cryptod", s.cryptod, "cryptod's socket [/run/wattle/NET/crypto.key]")
      .text("meta-user", s.meta_user, "user or uid that may ask as metad [wattle-NET-meta]")
      .choice("log-level", s.log_level, os::log::level_words(),
              "error, warning, notice, info or debug [info]")
      .switch_only("check", s.check, "look at the settings, say whether they are right, and exit");
  help = options.help();
  const auto outcome = WATTLE_TRY(options.parse(argc, argv));
  if (outcome != os::Options::Outcome::Run) return outcome;
  if (!is_network_name(s.net))
    return Error(Errc::Config,
                 "wattle-keyd: option '--net' needs the name of a network: 1 to 12 of a-z and 0-9");
  const os::Paths paths(s.net);
  const auto fill = [](std::string& value, std::string standard) {
    if (value.empty()) value = std::move(standard);
  };
  fill(s.identity, paths.state + "/key/identity");
  fill(s.counter, paths.state + "/key/counter");
  fill(s.genesis, paths.genesis());
  fill(s.cryptod, paths.run + "/crypto.key");
  fill(s.meta_user, os::user_name(s.net, "meta"));
  os::log::Level level{};
  WATTLE_CHECK(os::log::parse_level(s.log_level, level));
  os::log::set_level(level);
  return outcome;
}

Error as_config(const Error& error) { return Error(Errc::Config, error.text()); }

Result<crypto::PrivateKey> read_identity(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) == 0 && (info.st_mode & 077) != 0)
    return Error(Errc::Config, path + " can be read by others; run: chmod 0400 " + path);
  auto pem = os::read_file(path, kMaxKeyFile);
  if (!pem) return as_config(pem.error());
  auto key = crypto::PrivateKey::from_pem(as_text(*pem));
  wipe(*pem);
  if (!key)
    return Error(Errc::Config, path + " is not a P-256 private key in PEM: " + key.error().text());
  return key;
}

Result<NetworkId> read_network(const std::string& path, const std::string& name) {
  const auto text = os::read_text(path, kMaxDocument);
  if (!text) return as_config(text.error());
  const auto genesis = parse_genesis(*text);
  if (!genesis) return Error(Errc::Config, path + ": " + genesis.error().text());
  if (genesis->network != name)
    return Error(Errc::Config,
                 path + " is of network '" + genesis->network + "', not '" + name + "'");
  return network_id(genesis_hash(*text));
}

Result<uid_t> resolve(const std::string& user) {
  if (const auto number = parse_decimal(user, UINT32_MAX - 1)) return static_cast<uid_t>(*number);
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr)
    return Error(Errc::Config, "there is no user '" + user + "'; `wattle join` makes it");
  return entry->pw_uid;
}

Result<os::Fd> connect_cryptod(const std::string& path) {
  const Instant deadline = os::now() + kConnectPatience;
  for (;;) {
    auto socket = os::connect_lane(path);
    if (socket || socket.error().code == Errc::Denied || os::now() >= deadline) return socket;
    usleep(kConnectPauseUs);
  }
}

Result<void> run(const Settings& settings) {
  // Until the loop watches it: nothing is lost by an end at any point before.
  std::signal(SIGTERM, [](int) { _exit(0); });
  auto service = WATTLE_TRY(os::Service::open(os::Paths(settings.net).run));
  auto listener = WATTLE_TRY(service.take("key"));
  const NetworkId network = WATTLE_TRY(read_network(settings.genesis, settings.net));
  const crypto::PrivateKey identity = WATTLE_TRY(read_identity(settings.identity));
  const uid_t metad_uid = WATTLE_TRY(resolve(settings.meta_user));
  CounterFile file = WATTLE_TRY(CounterFile::open(settings.counter));
  Keeper keeper(identity, network, file.loaded().counters, file);
  auto cryptod = WATTLE_TRY(connect_cryptod(settings.cryptod));

  os::EventLoop loop;
  const os::Watch term = loop.on_signal(SIGTERM, [&] { loop.stop(); });
  const os::Watch interrupt = loop.on_signal(SIGINT, [&] { loop.stop(); });
  os::Watch watchdog;
  if (service.watchdog_us() != 0)
    watchdog = loop.every(std::chrono::microseconds(service.watchdog_us() / 2 + 1),
                          [&] { service.watchdog(); });
  WATTLE_TRY(os::enter(policy()));
  const Server server(loop, keeper, std::move(cryptod), std::move(listener), metad_uid);
  service.ready();
  os::log::info("ready",
                {{os::log::Key::Net, settings.net}, {os::log::Key::Node, keeper.address().text()}});
  loop.run();
  return {};
}

// It has no file of settings: what it can look at for anybody is the genesis.
int check(const Settings& settings) {
  if (const auto network = read_network(settings.genesis, settings.net); !network) {
    os::log::error(network.error().text());
    return kExitConfig;
  }
  return std::puts("wattle-keyd: all right") < 0 ? 1 : 0;
}

int main_of(int argc, char** argv) {
  os::log::open("keyd");
  Settings settings;
  std::string help;
  const auto outcome = read_settings(argc, argv, settings, help);
  if (!outcome) {
    os::log::error(outcome.error().text());
    return kExitConfig;
  }
  if (*outcome == os::Options::Outcome::Help) return std::fputs(help.c_str(), stdout) < 0 ? 1 : 0;
  if (*outcome == os::Options::Outcome::Version)
    return std::puts("wattle-keyd " WATTLE_VERSION) < 0 ? 1 : 0;
  if (settings.check) return check(settings);
  crypto::init();
  const auto ended = run(settings);
  if (ended) return 0;
  os::log::error(ended.error().text());
  return os::exit_code(ended.error());
}

}  // namespace
}  // namespace wattle::keys

int main(int argc, char** argv) {
  wattle::crypto::open_key_heap();
  return wattle::keys::main_of(argc, argv);
}
