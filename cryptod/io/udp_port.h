// One bound UDP socket that tapd handed over: batches in and out (recvmmsg, sendmmsg), trains of
// equal datagrams split on receive (UDP_GRO) and joined on send (UDP_SEGMENT), the address that was
// asked on both ways (packet info), the TTL of openers. Makes no socket, sets no option but
// UDP_GRO.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "common/os/fd.h"
#include "cryptod/core/actions.h"
#include "cryptod/core/counters.h"
#include "cryptod/core/engine.h"

namespace wattle::cryptod {

// Room for what one recvmmsg brings, shared by all ports: a train fills up to 64 KiB. Of all this
// memory only what has been filled once is really there.
class ReceiveBuffers {
 public:
  static constexpr std::size_t kCount = 32;
  static constexpr std::size_t kSize = 65536;

  ReceiveBuffers();
  ~ReceiveBuffers();
  MutableBytes at(std::size_t i) { return {bytes_.get() + i * kSize, kSize}; }

 private:
  friend class UdpPort;
  struct Messages;  // what the kernel fills
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::unique_ptr<Messages> messages_;
};

class UdpPort {
 public:
  // A datagram of so many bytes is too long for the link that leads there.
  using TooBig = std::function<void(const Endpoint& destination, std::size_t bytes)>;

  // `rows`: datagrams to one destination may leave as a train.
  UdpPort(os::Fd socket, std::uint8_t family, std::uint16_t port, bool rows, TooBig on_too_big);
  ~UdpPort();

  int socket() const { return socket_.raw(); }
  std::uint8_t family() const { return family_; }
  std::uint16_t port() const { return port_; }

  // Whether the kernel may hand over several datagrams as a train, if it can; a socket that was in
  // use before keeps what was said last.
  void take_trains(bool on);

  // One recvmmsg. `out` is replaced by the datagrams that came, trains already split; they live in
  // `buffers`. False if the socket had nothing more.
  bool receive(ReceiveBuffers& buffers, std::vector<Received>& out, Counters& counters);

  // Sends all of `batch`, in order; each destination is of this port's family. A full socket is
  // waited for kPatienceMs at most; what cannot leave is counted and dropped.
  void send(std::span<const OutDatagram> batch, Counters& counters);

  static constexpr int kPatienceMs = 2;

 private:
  struct Outbox;
  // How many of the first datagrams of `rest` may leave as one train; 1: alone.
  std::size_t train(std::span<const OutDatagram> rest) const;
  void send_alone(const OutDatagram& datagram, bool with_source, Counters& counters);
  bool wait_for_room();
  void failed(std::span<const OutDatagram> datagrams, int error, Counters& counters);

  os::Fd socket_;
  std::uint8_t family_;
  std::uint16_t port_;
  TooBig on_too_big_;
  bool segments_;  // false once the kernel or the card refused UDP_SEGMENT
  std::unique_ptr<Outbox> outbox_;
};

}  // namespace wattle::cryptod
