// cryptod's driver: feeds the engine with what comes from the TAP, the UDP sockets and the three
// lanes, performs its actions at once, and owns its one timer. It decides nothing.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "cryptod/core/engine.h"
#include "cryptod/core/fair_queue.h"
#include "cryptod/io/key_lane.h"
#include "cryptod/io/meta_lane.h"
#include "cryptod/io/packet_io.h"
#include "cryptod/io/ring.h"
#include "cryptod/io/tap_lane.h"

namespace wattle::cryptod {

// The listening sockets that cryptod was passed, and whom each admits.
struct LaneSockets {
  os::Fd tap, meta, key;
  uid_t tap_uid = 0, meta_uid = 0, key_uid = 0;
};

class Driver {
 public:
  // `ring`: what the TAP is read and written with; may be none.
  Driver(os::EventLoop& loop, const EngineConfig& config, Random& random, LaneSockets sockets,
         std::unique_ptr<Ring> ring);
  Driver(const Driver&) = delete;
  Driver& operator=(const Driver&) = delete;

 private:
  // Batches of frames, and about how many bytes, before the others get their turn: bulk in one
  // direction makes what comes from the other wait so long.
  static constexpr int kRounds = 4;
  static constexpr std::size_t kBatchFrames = 64;
  static constexpr std::size_t kBatchBytes = 128 * 1024;
  // How long the device keeps its frames for an engine that cannot send them yet: as long as the
  // engine itself would (pending_queue.h). So what was sent during a restart is not lost.
  static constexpr Duration kPatience = std::chrono::seconds(3);

  void on_datagrams(std::span<Received> batch);
  void on_frames();
  bool take_frames();
  std::size_t send_frames();
  void on_handover(Handover&& all);
  void on_addresses(std::vector<IpAddress>&& addresses);
  void on_tap_gone();
  void read_frames();
  void on_timer();

  // One event: clears the actions, lets `event(moment, actions)` happen, performs what it wants.
  template <typename Event>
  void feed(Event&& event);
  void perform();
  void say_readiness();
  void say_refusals();

  os::EventLoop& loop_;
  Engine engine_;
  Actions actions_;
  os::EventLoop::Timer timer_;
  Instant armed_ = kNever;
  os::log::Limited meta_refusals_, key_refusals_, handovers_;
  bool said_ready_ = false;

  DeviceState device_;
  std::unique_ptr<PacketIo> io_;
  os::Watch tap_patience_;
  FairQueue waiting_;
  os::EventLoop::Timer again_;  // frames still wait
  std::vector<TapFrame> arrived_, frames_;

  TapLane tap_lane_;
  MetaLane meta_lane_;
  KeyLane key_lane_;
};

}  // namespace wattle::cryptod
