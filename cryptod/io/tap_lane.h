// tapd's lane: collects one snapshot (Device, UdpSocket*, LocalAddresses, DeviceEnd) and hands it
// over whole; what a broken-off snapshot brought is closed. While tapd is away the descriptors that
// were handed over stay in use.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/ipc/tap_link.h"
#include "cryptod/io/lane_server.h"

namespace wattle::cryptod {

// Everything tapd made.
struct Handover {
  struct Udp {
    std::uint8_t family = 4;
    std::uint16_t port = 0;
    os::Fd socket;
  };
  tap_link::Device device;
  os::Fd tap;
  std::vector<Udp> udp;  // at most one of each family
  std::vector<IpAddress> addresses;
};

class TapLane {
 public:
  struct Callbacks {
    std::function<void(Handover&& all)> on_handover;
    std::function<void(std::vector<IpAddress>&& addresses)> on_addresses;  // a change afterwards
  };

  TapLane(os::EventLoop& loop, os::Fd listener, uid_t tap_uid, Callbacks callbacks);

  static constexpr std::size_t kMaxAddresses = 256;  // more are left out

 private:
  bool is_legal(const tap_link::ToCryptod::Message& message) const;
  void on_message(tap_link::ToCryptod::Message& message, std::vector<os::Fd>& descriptors);

  Callbacks callbacks_;
  std::optional<Handover> pending_;  // between Device and DeviceEnd
  bool complete_ = false;            // this connection has handed over a snapshot
  LaneServer<tap_link::ToTapd, tap_link::ToCryptod> server_;
};

}  // namespace wattle::cryptod
