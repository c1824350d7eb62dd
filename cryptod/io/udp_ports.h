// The UDP sockets of one queue, one of each family at most: watched and read in batches, and what
// leaves goes to the one of its family.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "common/os/event_loop.h"
#include "cryptod/io/tap_lane.h"
#include "cryptod/io/udp_port.h"

namespace wattle::cryptod {

class UdpPorts {
 public:
  // `take`: at most Engine::kMaxBatch, whose bytes live until it returns.
  using Take = std::function<void(std::span<Received>)>;
  UdpPorts(os::EventLoop& loop, const Offloads& offloads, Counters& counters, Take take,
           UdpPort::TooBig on_too_big);

  void attach(std::vector<Handover::Udp> sockets);  // in place of those before
  void send(std::span<const OutDatagram> datagrams);

 private:
  // Batches of one socket before the others get their turn.
  static constexpr int kRounds = 4;

  struct Port {
    Port(Handover::Udp&& from, const Offloads& offloads, const UdpPort::TooBig& on_too_big)
        : udp(std::move(from.socket), from.family, from.port, offloads.gso, on_too_big) {
      udp.take_trains(offloads.gro);
    }
    UdpPort udp;
    os::Watch watch;
  };

  void on_socket(UdpPort& port);
  UdpPort* port_of(std::uint8_t family);

  os::EventLoop& loop_;
  Offloads offloads_;
  Counters& counters_;
  Take take_;
  UdpPort::TooBig on_too_big_;
  std::vector<std::unique_ptr<Port>> ports_;
  ReceiveBuffers receive_buffers_;
  std::vector<Received> received_;
};

}  // namespace wattle::cryptod
