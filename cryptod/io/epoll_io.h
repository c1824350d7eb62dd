// PacketIo by the event loop: a descriptor that is readable is read in batches.
#pragma once

#include <optional>

#include "common/os/event_loop.h"
#include "cryptod/io/packet_io.h"
#include "cryptod/io/tap_port.h"
#include "cryptod/io/udp_ports.h"

namespace wattle::cryptod {

class EpollIo : public PacketIo {
 public:
  EpollIo(os::EventLoop& loop, const Offloads& offloads, Counters& counters, Events events);

  void attach_tap(os::Fd queue) override;
  void attach_sockets(std::vector<Handover::Udp> sockets) override {
    udp_.attach(std::move(sockets));
  }
  void start_frames() override;
  bool has_tap() const override { return tap_.has_value(); }
  bool takes_udp_rows() const override { return tap_ && tap_->takes_udp_rows(); }
  bool take_frames(std::vector<TapFrame>& out) override;
  void give_back(const TapFrame& frame) override { frame_buffers_.give_back(frame.buffer); }
  void send(const Actions& actions) override;

 private:
  os::EventLoop& loop_;
  Offloads offloads_;
  Counters& counters_;
  Events events_;
  FrameBuffers frame_buffers_;
  std::optional<TapPort> tap_;
  os::Watch tap_watch_;
  UdpPorts udp_;
};

}  // namespace wattle::cryptod
