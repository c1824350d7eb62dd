// cryptod's driver: feeds the engine with what comes from the TAP, the UDP sockets and the three
// lanes, performs its actions at once, and owns its one timer. It decides nothing.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "cryptod/core/engine.h"
#include "cryptod/io/key_lane.h"
#include "cryptod/io/meta_lane.h"
#include "cryptod/io/tap_lane.h"
#include "cryptod/io/tap_port.h"
#include "cryptod/io/udp_port.h"

namespace wattle::cryptod {

// The listening sockets that cryptod was passed, and whom each admits.
struct LaneSockets {
  os::Fd tap, meta, key;
  uid_t tap_uid = 0, meta_uid = 0, key_uid = 0;
};

class Driver {
 public:
  Driver(os::EventLoop& loop, const EngineConfig& config, Random& random, LaneSockets sockets);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

 private:
  // Batches of one descriptor before the others get their turn.
  static constexpr int kRounds = 4;
  // How long the device keeps its frames for an engine that cannot send them yet: as long as the
  // engine itself would (pending_queue.h). So what was sent during a restart is not lost.
  static constexpr Duration kPatience = std::chrono::seconds(3);

  struct Port {
    Port(Handover::Udp&& from, const Offloads& offloads)
        : udp(std::move(from.socket), from.family, from.port, offloads.gso) {
      udp.take_trains(offloads.gro);
    }
    UdpPort udp;
    os::Watch watch;
  };

  void on_datagrams(UdpPort& port);
  void on_frames();
  void on_handover(Handover&& all);
  void on_addresses(std::vector<IpAddress>&& addresses);
  void on_tap_gone();
  void read_frames();
  void on_timer();

  // One event: clears the actions, lets `event(moment, actions)` happen, performs what it wants.
  template <typename Event>
  void feed(Event&& event);
  void perform();
  void send_datagrams();
  void say_readiness();
  void say_refusals();
  UdpPort* port_of(std::uint8_t family);

  os::EventLoop& loop_;
  Offloads offloads_;
  Engine engine_;
  Actions actions_;
  os::EventLoop::Timer timer_;
  Instant armed_ = kNever;
  os::log::Limited meta_refusals_, key_refusals_, handovers_;
  bool said_ready_ = false;

  DeviceState device_;
  std::optional<TapPort> tap_;
  os::Watch tap_watch_, tap_patience_;
  std::vector<std::unique_ptr<Port>> ports_;
  ReceiveBuffers buffers_;
  std::vector<Received> received_;
  std::vector<TapFrame> frames_;

  TapLane tap_lane_;
  MetaLane meta_lane_;
  KeyLane key_lane_;
};

}  // namespace wattle::cryptod
