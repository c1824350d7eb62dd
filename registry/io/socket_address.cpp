#include "registry/io/socket_address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>

#include "common/os/file.h"
#include "common/os/socket_address.h"
#include "registry/core/route_table.h"

namespace wattle::registry {
namespace {

Result<IpAddress> address_in(const sockaddr* address) {
  return WATTLE_TRY(os::read_address(address)).address;
}

// Better ones are greater; 0: no use at all.
int worth(const ifaddrs& entry, const IpAddress& address, const std::string& default_device) {
  const std::string_view device = entry.ifa_name;
  if ((entry.ifa_flags & IFF_UP) == 0 || address.is_loopback() || address.is_link_local() ||
      address.is_unspecified() || device.substr(0, 3) == "wt-")
    return 0;
  return (device == default_device ? 4 : 0) + (address.is_v4() ? 2 : 1);
}

}  // namespace

Result<IpAddress> peer_address(int socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getpeername(socket, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return Errc::Closed;
  return address_in(reinterpret_cast<const sockaddr*>(&storage));
}

Result<IpAddress> own_address() {
  const auto routes = os::read_text("/proc/net/route", 1024 * 1024);
  const std::string default_device = routes ? default_route_device(*routes) : std::string();
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return os::system_error("cannot list the host's addresses");
  int best_worth = 0;
  IpAddress best;
  for (const ifaddrs* at = list; at != nullptr; at = at->ifa_next) {
    if (at->ifa_addr == nullptr) continue;
    const auto address = address_in(at->ifa_addr);
    if (!address) continue;
    const int value = worth(*at, *address, default_device);
    if (value <= best_worth) continue;
    best_worth = value;
    best = *address;
  }
  freeifaddrs(list);
  if (best_worth == 0) return Error(Errc::NotFound, "this host has no address but loopback");
  return best;
}

}  // namespace wattle::registry
