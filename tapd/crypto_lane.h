// tapd's end of the lane to cryptod, without libevent: connects, exchanges fingerprints as
// common/os/channel does, hands over the whole state, then the newest LocalAddresses whenever they
// change. It never blocks; poll() it and call service(). When cryptod goes away it tries again
// after 10 ms, then every 100 ms. Every message from cryptod but SendAgain ends the connection.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/ipc/tap_link.h"
#include "common/os/fd.h"
#include "common/os/log.h"

namespace wattle::tapd {

inline constexpr Duration kReconnect = std::chrono::milliseconds(100);

// What cryptod is to have. The descriptors are not owned.
struct Snapshot {
  tap_link::Device device;
  int tap = -1;
  struct Udp {
    tap_link::UdpSocket what;
    int fd = -1;
  };
  std::vector<Udp> udp;
};

class CryptoLane {
 public:
  CryptoLane(std::string path, Snapshot snapshot)
      : path_(std::move(path)), snapshot_(std::move(snapshot)) {}

  void set_addresses(std::vector<IpAddress> addresses);  // sent if they differ from the last ones

  int fd() const { return socket_.raw(); }  // -1: not connected
  short events() const;                     // for poll(2)
  Instant deadline() const { return socket_.is_open() ? kNever : retry_at_; }
  // Does what can be done now: connect when it is time, read, write.
  void service(Instant now);

 private:
  void connect(Instant now);
  void read_all(Instant now);
  void flush(Instant now);
  void take(ByteView message, Instant now);
  void queue_snapshot();
  void end(Instant now, const std::string& why);

  struct Outgoing {
    Bytes bytes;
    int descriptor = -1;
  };

  std::string path_;
  Snapshot snapshot_;
  std::vector<IpAddress> addresses_;
  os::Fd socket_;
  bool agreed_ = false;       // fingerprints are equal
  bool handed_over_ = false;  // told in the log once per connection
  bool addresses_dirty_ = false;
  std::deque<Outgoing> queue_;
  Instant retry_at_{};
  os::log::Limited turns_;
  bool complained_ = false;  // an unreachable cryptod is told once, not ten times a second
};

}  // namespace wattle::tapd
