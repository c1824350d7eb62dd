// PacketIo whose TAP is read and written in batches, each with one call of an io_uring (ring.h).
// The UDP sockets have calls for batches of their own and stay with those.
#pragma once

#include <array>
#include <optional>

#include "common/os/event_loop.h"
#include "cryptod/io/packet_io.h"
#include "cryptod/io/ring.h"
#include "cryptod/io/tap_port.h"
#include "cryptod/io/udp_ports.h"

namespace wattle::cryptod {

class UringIo : public PacketIo {
 public:
  UringIo(os::EventLoop& loop, const Offloads& offloads, Counters& counters, Events events,
          std::unique_ptr<Ring> ring);

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
  // Reads of one call: as many as the last time found something, and some more.
  static constexpr std::size_t kFewest = 4, kMost = 64;
  static_assert(kMost <= Ring::kCalls);

  TapPort::Taken read_frames(std::vector<TapFrame>& out);
  void write_frames(const Actions& actions);
  void submit();

  os::EventLoop& loop_;
  Offloads offloads_;
  Counters& counters_;
  Events events_;
  FrameBuffers frame_buffers_;
  std::unique_ptr<Ring> ring_;  // without: this TAP's kernel cannot (before Linux 6.4)
  std::optional<TapPort> tap_;
  os::Watch tap_watch_;
  UdpPorts udp_;
  std::size_t reads_ = kFewest;
  std::array<std::uint16_t, kMost> buffers_;  // of the reads
  std::array<int, kMost> results_;
  std::vector<iovec> parts_;  // of the writes
};

}  // namespace wattle::cryptod
