// serve: the daemon. Opens everything, enters the seal, then answers.
#include <fcntl.h>
#include <sys/stat.h>
#include <csignal>
#include <cstdio>

#include "common/base/check.h"
#include "common/base/secret.h"
#include "common/crypto/init.h"
#include "common/os/event_loop.h"
#include "common/os/file.h"
#include "common/os/instance.h"
#include "common/os/log.h"
#include "common/os/service.h"
#include "registry/admin/verbs.h"
#include "registry/io/desk.h"
#include "registry/io/https_server.h"
#include "registry/io/policy.h"
#include "registry/io/sqlite_store.h"

namespace wattle::registry {
namespace {

namespace log = os::log;
constexpr std::size_t kMaxPem = 16 * 1024;

Result<std::string> read_key(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) == 0 && (info.st_mode & 077) != 0)
    return Error(Errc::Config, path + " may be read by others: run chmod 0400 " + path);
  return os::read_text(path, kMaxPem);
}

// The listeners that systemd or `wattle up` made, as registry.conf says.
Result<void> take_listeners(os::Service& service, HttpsServer& server) {
  os::Fd first = WATTLE_TRY(service.take("https"));  // or a sentence that says who makes it
  WATTLE_TRY(server.listen(std::move(first)));
  for (os::Fd& further : service.take_all("https")) WATTLE_TRY(server.listen(std::move(further)));
  return {};
}

// One registry of a network at a time, and none during a restore.
Result<os::Fd> lock_folder(const std::string& folder) {
  os::Fd out(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!out.is_open()) return os::system_error("cannot open " + folder);
  WATTLE_TRY(os::lock_file(out.raw(), folder));
  return out;
}

Result<void> serve(const Settings& settings) {
  const os::Paths paths(settings.network, settings.root);
  const std::string folder = paths.state + "/registry";
  auto service = WATTLE_TRY(os::Service::open(paths.run));
  const os::Fd lock = WATTLE_TRY(lock_folder(folder));
  std::string key = WATTLE_TRY(read_key(folder + "/https.key"));
  const std::string certificate = WATTLE_TRY(os::read_text(folder + "/https.crt", kMaxPem));
  const auto store = WATTLE_TRY(SqliteStore::open(folder + "/registry.db"));

  os::EventLoop loop;
  const os::Watch terminate = loop.on_signal(SIGTERM, [&loop] { loop.stop(); });
  const os::Watch interrupt = loop.on_signal(SIGINT, [&loop] { loop.stop(); });
  Desk desk(loop, settings.network, paths.run + "/sign", *store);
  const auto server = WATTLE_TRY(HttpsServer::make(
      loop, certificate, key,
      [&desk](const Request& request, const Reply& reply) { desk.handle(request, reply); }));
  wipe({reinterpret_cast<std::uint8_t*>(key.data()), key.size()});
  WATTLE_TRY(take_listeners(service, *server));
  WATTLE_TRY(os::enter(policy(folder)));
  WATTLE_TRY(desk.start());
  os::Watch dog;
  if (service.watchdog_us() != 0)
    dog = loop.every(std::chrono::microseconds(service.watchdog_us() / 3),
                     [&service] { service.watchdog(); });
  service.ready();
  log::notice("serves", {{log::Key::Net, settings.network}});
  loop.run();
  return {};
}

}  // namespace

int run_serve(Settings& settings) {
  umask(077);
  log::open("registry");
  const auto network = choose_network(settings);
  if (!network) {
    log::error(network.error().text());
    return static_cast<int>(Exit::Config);
  }
  settings.network = *network;
  if (const auto read = read_config(settings); !read) {
    log::error(read.error().text());
    return static_cast<int>(Exit::Config);
  }
  log::Level level = log::Level::Info;
  WATTLE_CHECK(log::parse_level(settings.log_level, level));
  if (settings.check) return std::puts("wattle-registry: all right") < 0 ? 1 : 0;
  log::set_level(level);
  const auto served = serve(settings);
  if (served) return 0;
  log::error(served.error().text());
  return served.error().code == Errc::NotFound ? static_cast<int>(Exit::Config)
                                               : os::exit_code(served.error());
}

}  // namespace wattle::registry
