// tapd's two netlink sockets: one asks and waits for the answer (the kernel answers before sendto
// returns, so a short time limit is only a guard), one hears of changes. Both are made before the
// seal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/net/ip_address.h"
#include "common/os/fd.h"
#include "tapd/netlink_message.h"

namespace wattle::tapd {

class Netlink {
 public:
  static Result<Netlink> open();

  // MAC, MTU, no autoconfiguration, up, exactly these addresses of ours (others of ours are
  // removed; an administrator's stay) and the link-local one of the MAC. Repeating it changes
  // nothing. Where the host has no IPv6 the IPv6 part is left out with a warning in the log.
  struct DeviceState {
    std::uint32_t index = 0;
    MacAddress mac;
    std::uint16_t mtu = 0;
    std::vector<IpPrefix> addresses;
  };
  Result<void> configure(const DeviceState& state);

  // This host's addresses elsewhere (reachable_addresses()).
  Result<std::vector<IpAddress>> local_addresses(std::uint32_t own_index);

  int watch() const { return watch_.raw(); }  // readable when something changed
  struct Changes {
    bool any = false;  // look at the addresses again
    bool device_gone = false;
  };
  Changes read_changes(std::uint32_t own_index);

 private:
  Result<Answer> ask(const Bytes& request, std::uint32_t sequence);
  Result<Answer> dump(Bytes (*build)(std::uint32_t));
  Result<void> set_addresses(const DeviceState& state);
  std::uint32_t next() { return ++sequence_; }

  os::Fd socket_, watch_;
  std::uint32_t sequence_ = 0;
};

}  // namespace wattle::tapd
