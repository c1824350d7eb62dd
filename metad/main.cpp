// wattle-metad: the meta protocol of one network. See wattle-metad(8), wattle-meta(7) and
// wattle-privsep(7).
#include <signal.h>

#include <array>

#include "common/crypto/init.h"
#include "common/crypto/key_heap.h"
#include "common/os/clock.h"
#include "common/os/random.h"
#include "common/os/service.h"
#include "metad/config.h"
#include "metad/io/driver.h"
#include "metad/io/tcp.h"
#include "metad/policy.h"

namespace wattle::metad {
namespace {

// Both families; a host without IPv6 is served by IPv4 alone.
Result<std::vector<os::Fd>> open_listeners(std::uint16_t port) {
  std::vector<os::Fd> out;
  auto six = listen_tcp({IpAddress::v6({}), port});
  if (six) out.push_back(std::move(*six));
  out.push_back(WATTLE_TRY(listen_tcp({IpAddress::v4({}), port})));
  return out;
}

Result<void> run(const Config& config) {
  os::log::set_level(config.level);
  os::Service service = WATTLE_TRY(os::Service::open(config.run_folder));
  ::signal(SIGPIPE, SIG_IGN);
  crypto::init();
  LoadedMembership membership = WATTLE_TRY(load_membership(config, os::unix_now()));
  DriverSetup setup;
  WATTLE_TRY(TlsContext::create(membership.tls));  // that they belong together
  setup.tls = std::move(membership.tls);
  setup.engine = std::move(membership.setup);
  setup.https_key = membership.https_key;
  setup.registry = registry_places(membership.registries, true);
  setup.state_folder = config.state_folder;
  setup.crypto_lane = config.run_folder + "/crypto.meta";
  setup.key_lane = config.run_folder + "/key";
  setup.control = WATTLE_TRY(service.take("meta"));
  setup.listeners = WATTLE_TRY(open_listeners(config.port));
  os::EventLoop loop;
  Driver* running = nullptr;
  const auto stop = [&] {
    if (running != nullptr)
      running->stop();
    else
      loop.stop();
  };
  const os::Watch term = loop.on_signal(SIGTERM, stop);
  const os::Watch interrupt = loop.on_signal(SIGINT, stop);

  WATTLE_TRY(os::enter(policy(config.state_folder)));

  os::SystemRandom random;
  const std::string node = setup.engine.name;
  Driver driver(loop, random, std::move(setup));
  running = &driver;
  os::Watch watchdog;
  if (service.watchdog_us() != 0)
    watchdog = loop.every(std::chrono::microseconds(service.watchdog_us() / 3),
                          [&] { service.watchdog(); });
  service.ready();
  os::log::notice("ready", {{os::log::Key::Net, config.network}, {os::log::Key::Node, node}});
  loop.run();
  os::log::notice("stopped");
  return {};
}

}  // namespace
}  // namespace wattle::metad

int main(int argc, char** argv) {
  using namespace wattle;  // NOLINT
  crypto::open_key_heap();
  os::log::open("metad");
  const auto config = metad::load_config(argc, argv);
  if (config && !config->has_value()) return 0;
  const auto done = config ? metad::run(**config) : Result<void>(config.error());
  if (done) return 0;
  os::log::error(done.error().text());
  return os::exit_code(done.error());
}
