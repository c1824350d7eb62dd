// The packets' ways in and out of cryptod: one queue of the TAP and the UDP sockets that belong to
// it. How they are read and written (epoll_io.h) is behind this; what is done with them is the
// driver's. One thread. All descriptors came over tapd's lane.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "common/os/fd.h"
#include "cryptod/core/actions.h"
#include "cryptod/core/engine.h"
#include "cryptod/io/tap_lane.h"

namespace wattle::cryptod {

class PacketIo {
 public:
  struct Events {
    // At most Engine::kMaxBatch; their bytes live until it returns.
    std::function<void(std::span<Received>)> on_datagrams;
    // take_frames() has some.
    std::function<void()> on_frames;
    // A datagram of so many bytes is too long for the link that leads there. During send().
    std::function<void(const Endpoint& destination, std::size_t bytes)> on_too_big;
    // Somebody deleted the device; the TAP has been detached.
    std::function<void()> on_tap_gone;
  };

  PacketIo() = default;
  PacketIo(const PacketIo&) = delete;
  PacketIo& operator=(const PacketIo&) = delete;
  virtual ~PacketIo() = default;

  // In place of what was attached. Nothing is read from the TAP before start_frames().
  virtual void attach_tap(os::Fd queue) = 0;
  virtual void attach_sockets(std::vector<Handover::Udp> sockets) = 0;
  virtual void start_frames() = 0;
  virtual bool has_tap() const = 0;
  // False where the TAP's kernel has refused rows of UDP datagrams: it does not take them either.
  virtual bool takes_udp_rows() const = 0;

  // Appends what has come; true: there may be more already. If not, on_frames() follows when there
  // is. Each frame's buffer is kept until it is given back; at most FairQueue::kMaxFrames may be
  // kept when this is called.
  virtual bool take_frames(std::vector<TapFrame>& out) = 0;
  virtual void give_back(const TapFrame& frame) = 0;

  // Frames to the TAP, datagrams to the network, each in order; returns when all have left or are
  // counted as failed. `actions` may be changed afterwards.
  virtual void send(const Actions& actions) = 0;
};

}  // namespace wattle::cryptod
