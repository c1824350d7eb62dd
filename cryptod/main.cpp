// wattle-cryptod: sessions, packets and the Ethernet of one network. See wattle-cryptod(8),
// wattle-privsep(7) and wattle-wire(7).
#include <signal.h>
#include <cstdio>

#include "common/crypto/init.h"
#include "common/crypto/key_heap.h"
#include "common/os/event_loop.h"
#include "common/os/log.h"
#include "common/os/paths.h"
#include "common/os/random.h"
#include "common/os/service.h"
#include "cryptod/aead_choice.h"
#include "cryptod/config.h"
#include "cryptod/io/driver.h"
#include "cryptod/policy.h"

namespace wattle::cryptod {
namespace {

// Address space until it is used: twelve thousand sessions and as many that are being renewed, at
// 2 KiB each, with a quarter left for private keys.
constexpr std::size_t kSessionHeap = 64 * crypto::kKeyHeap;

Result<LaneSockets> take_sockets(os::Service& service, const Config& config) {
  LaneSockets sockets;
  sockets.tap = WATTLE_TRY(service.take("tap"));
  sockets.meta = WATTLE_TRY(service.take("meta"));
  sockets.key = WATTLE_TRY(service.take("key"));
  sockets.tap_uid = config.tap_uid;
  sockets.meta_uid = config.meta_uid;
  sockets.key_uid = config.key_uid;
  return sockets;
}

// None where epoll is to be used.
std::unique_ptr<Ring> make_ring(IoWay io) {
  if (io != IoWay::Uring) return nullptr;  // auto: man/wattle-cryptod.8 tells why
  auto ring = Ring::create();
  if (ring) return std::move(*ring);
  os::log::warning("packets are read and written with epoll: " + ring.error().text());
  return nullptr;
}

Result<void> run(const Config& config) {
  os::log::set_level(config.level);
  os::Service service = WATTLE_TRY(os::Service::open(os::Paths(config.network).run));
  LaneSockets sockets = WATTLE_TRY(take_sockets(service, config));
  const EngineConfig genesis = WATTLE_TRY(load_genesis(config));
  ::signal(SIGPIPE, SIG_IGN);
  os::EventLoop loop;
  const os::Watch term = loop.on_signal(SIGTERM, [&] { loop.stop(); });
  const os::Watch interrupt = loop.on_signal(SIGINT, [&] { loop.stop(); });
  crypto::init();
  choose_aead();

  std::unique_ptr<Ring> ring = make_ring(config.io);

  WATTLE_TRY(os::enter(policy(ring ? ring->descriptor() : -1)));

  os::SystemRandom random;
  Driver driver(loop, genesis, random, std::move(sockets), std::move(ring));
  os::Watch watchdog;
  if (service.watchdog_us() != 0)
    watchdog = loop.every(std::chrono::microseconds(service.watchdog_us() / 3),
                          [&] { service.watchdog(); });
  service.ready();
  os::log::notice("ready", {{os::log::Key::Net, config.network}});
  loop.run();
  os::log::notice("stopped");
  return {};
}

}  // namespace
}  // namespace wattle::cryptod

int main(int argc, char** argv) {
  using namespace wattle;  // NOLINT
  crypto::open_key_heap(cryptod::kSessionHeap);
  os::log::open("cryptod");
  const auto config = cryptod::load_config(argc, argv);
  if (config && !config->has_value()) return 0;
  const auto done = config ? cryptod::run(**config) : Result<void>(config.error());
  if (done) return 0;
  os::log::error(done.error().text());
  return os::exit_code(done.error());
}
