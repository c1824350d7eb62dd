// A network namespace of its own, entered by threads: gone with the last descriptor into it.
#pragma once

#include <functional>
#include <string>

#include "common/net/mac_address.h"
#include "common/os/fd.h"

namespace wattle::test {

class NetSpace {
 public:
  NetSpace();  // with lo up

  // Runs `body` in a thread inside the namespace and waits for it.
  void inside(const std::function<void()>& body) const;
  // Output (both streams) of a shell command inside.
  std::string shell(const std::string& command) const;
  int fd() const { return fd_.raw(); }

  // A TAP as tapd makes it: IFF_TAP | IFF_NO_PI | IFF_VNET_HDR, non-blocking, with this MAC, up.
  os::Fd make_tap(const std::string& name, const MacAddress& mac) const;
  // A UDP socket as tapd makes it.
  os::Fd bind_udp(const std::string& address, std::uint16_t port) const;

 private:
  os::Fd fd_;
};

}  // namespace wattle::test
