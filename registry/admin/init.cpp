// init NET: makes a network on this host. Either everything is there afterwards or nothing new.
#include <ftw.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <thread>

#include "common/base/hex.h"
#include "common/base/parse.h"
#include "common/crypto/certificate.h"
#include "common/os/clock.h"
#include "common/os/file.h"
#include "common/os/random.h"
#include "common/proto/genesis.h"
#include "registry/admin/init_plan.h"
#include "registry/admin/run.h"
#include "registry/admin/verbs.h"

namespace wattle::registry {
namespace {

int remove_one(const char* path, const struct stat*, int, struct FTW*) { return ::remove(path); }

void remove_tree(const std::string& path) {
  nftw(path.c_str(), remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

// What was made so far; taken back unless keep() is called.
class Undo {
 public:
  ~Undo() {
    if (kept_) return;
    for (auto at = paths_.rbegin(); at != paths_.rend(); ++at) remove_tree(*at);
    for (const std::string& user : users_) static_cast<void>(os::remove_user(user).has_value());
    for (const std::string& group : groups_) static_cast<void>(os::remove_group(group).has_value());
  }
  void path(std::string path) { paths_.push_back(std::move(path)); }
  void user(std::string name) { users_.push_back(std::move(name)); }
  void group(std::string name) { groups_.push_back(std::move(name)); }
  void keep() { kept_ = true; }

 private:
  std::vector<std::string> paths_, users_, groups_;
  bool kept_ = false;
};

Result<void> make_folder(Undo& undo, const std::string& path, mode_t mode, const os::User& owner) {
  if (!os::exists(path)) undo.path(path);
  return os::make_folder(path, mode, static_cast<int>(owner.uid), static_cast<int>(owner.gid));
}

Result<os::User> make_user(Undo& undo, const std::string& name) {
  bool made = false;
  const os::User user = WATTLE_TRY(os::ensure_user(name, &made));
  if (made) undo.user(name);
  return user;
}

Result<void> make_https_key(const std::string& folder, const std::string& host,
                            const os::User& owner, ByteArray<32>& hash) {
  const crypto::PrivateKey key = crypto::PrivateKey::generate();
  const Bytes certificate = WATTLE_TRY(crypto::make_https_certificate(key, host, os::unix_now()));
  hash = crypto::spki_hash(key);
  const int uid = static_cast<int>(owner.uid);
  const int gid = static_cast<int>(owner.gid);
  std::string pem = key.to_pem();
  WATTLE_TRY(os::write_file(folder + "/https.key", as_bytes(pem), 0400, uid, gid));
  wipe({reinterpret_cast<std::uint8_t*>(pem.data()), pem.size()});
  const std::string text = crypto::der_to_pem(certificate, "CERTIFICATE");
  return os::write_file(folder + "/https.crt", as_bytes(text), 0644, uid, gid);
}

Result<std::string> make_genesis(const InitPlan& plan, const os::User& signer,
                                 const ByteArray<32>& https_key) {
  std::vector<std::string> argv{os::program_folder() + "/wattle-signer",
                                "init",
                                "--net",
                                plan.network,
                                "--prefix",
                                plan.prefix.text(),
                                "--ipv4",
                                plan.ipv4.text(),
                                "--https-key",
                                to_hex(https_key),
                                "--lifetime",
                                std::to_string(plan.lifetime) + "s"};
  for (const std::string& url : plan.urls) argv.insert(argv.end(), {"--url", url});
  std::string genesis = WATTLE_TRY(run_as(signer, argv));
  WATTLE_TRY(parse_genesis(genesis));
  return genesis;
}

Result<void> make_all(const InitPlan& plan, const os::Paths& paths) {
  Undo undo;
  bool made = false;
  WATTLE_TRY(os::ensure_group(os::kLookGroup, &made));
  if (made) undo.group(os::kLookGroup);
  const os::User registry = WATTLE_TRY(make_user(undo, os::user_name(plan.network, "registry")));
  const os::User signer = WATTLE_TRY(make_user(undo, os::user_name(plan.network, "signer")));
  WATTLE_TRY(make_folder(undo, paths.etc, 0755, {}));
  WATTLE_TRY(make_folder(undo, paths.state, 0755, {}));
  WATTLE_TRY(make_folder(undo, paths.state + "/registry", 0700, registry));
  WATTLE_TRY(make_folder(undo, paths.state + "/signer", 0700, signer));
  ByteArray<32> https_key{};
  WATTLE_TRY(make_https_key(paths.state + "/registry", host_of(plan.urls[0]), registry, https_key));
  const std::string genesis = WATTLE_TRY(make_genesis(plan, signer, https_key));
  undo.path(paths.genesis());
  WATTLE_TRY(os::write_file(paths.genesis(), as_bytes(genesis), 0644));
  const std::string config = config_text(plan);  // last: it says that the registry is here
  undo.path(paths.registry_config());
  WATTLE_TRY(os::write_file(paths.registry_config(), as_bytes(config), 0644));
  undo.keep();
  return {};
}

void tell(const InitPlan& plan, const os::Paths& paths) {
  std::printf(
      "Made network %s: IPv6 %s, IPv4 %s.\n"
      "  keys and journal   %s/signer (back this folder up: it is the network)\n"
      "  configuration      %s\n"
      "  its address        %s\n",
      plan.network.c_str(), plan.prefix.text().c_str(), plan.ipv4.text().c_str(),
      paths.state.c_str(), paths.registry_config().c_str(), plan.urls[0].c_str());
  std::fflush(stdout);
}

Result<void> start(const std::string& network) {
  // It knows whether systemd runs here.
  const std::string program = os::program_folder() + "/wattle";
  const int status = WATTLE_TRY(run({program, "up", network}));
  if (status == 0) return {};
  return Error(Errc::System, program + " up failed with exit code " + std::to_string(status));
}

// This host's own membership, as a relay.
int enrol(const InitPlan& plan, const os::Paths& paths) {
  const InviteWish wish{own_node_name(), 16, 3600, true, true};
  Result<std::string> url = Errc::Closed;
  for (int i = 0; i < 50 && !url && url.error().code == Errc::Closed; ++i) {
    if (i != 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    url = make_invite(paths, plan.network, plan.urls[0], wish);
  }
  if (!url) return fail(url.error());
  const auto joined = run({os::program_folder() + "/wattle", "join", *url});
  if (joined && *joined == 0) return 0;
  if (!joined) std::fprintf(stderr, "wattle-registry: %s\n", joined.error().text().c_str());
  std::fprintf(stderr,
               "wattle-registry: the registry runs, but this host is no member of its network yet: "
               "wattle-registry invite NAME, then wattle join 'URL' here\n");
  return joined ? *joined : 1;
}

}  // namespace

int run_init(const Settings& settings) {
  if (geteuid() != 0) return fail(Exit::NotRoot, "only root may make a network: run it with sudo");
  if (!settings.root.empty())
    return fail(Exit::Usage, "init makes system users and starts daemons: it has no --root");
  const auto plan = make_plan(settings);
  if (!plan) return fail(plan.error());
  const os::Paths paths(plan->network);
  if (const auto made = make_all(*plan, paths); !made) return fail(made.error());
  tell(*plan, paths);
  if (const auto started = start(plan->network); !started)
    return fail(Exit::General, started.error().text() +
                                   "; the network is made, but does not run: start it with wattle "
                                   "up " +
                                   plan->network);
  std::printf("Registry and signer run.\n");
  std::fflush(stdout);
  const int enrolled = settings.no_member ? 0 : enrol(*plan, paths);
  std::printf(
      "Next: wattle-registry invite NAME\n"
      "prints a URL; then on the machine that becomes NAME: wattle join 'URL'\n");
  return enrolled;
}

}  // namespace wattle::registry
