#include "tapd/device.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <cerrno>
#include <cstring>

#include "common/os/file.h"

namespace wattle::tapd {
namespace {

constexpr int kHeaderSize = 10;  // struct virtio_net_hdr
constexpr short kFlags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;

ifreq request_for(const std::string& name) {
  ifreq request{};
  std::strncpy(request.ifr_name, name.c_str(), IFNAMSIZ - 1);
  request.ifr_flags = kFlags;
  return request;
}

}  // namespace

Result<os::Fd> open_tun() {
  os::Fd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (fd.is_open()) return fd;
  const std::string why = std::strerror(errno);
  return Error(Errc::Unsupported,
               "this host has no usable TUN device: cannot open /dev/net/tun (" + why +
                   "); load the kernel module tun, or give the container access to /dev/net/tun");
}

Result<void> attach_tap(const os::Fd& tun, const std::string& name) {
  ifreq request = request_for(name);
  if (::ioctl(tun.raw(), TUNSETIFF, &request) != 0) {
    if (errno == EBUSY)
      return Error(Errc::Exists, "the network card " + name +
                                     " is held by another program; stop that or choose another "
                                     "name with device in wattle.conf");
    if (errno == EINVAL)
      return Error(Errc::Config, "there is a network card " + name +
                                     " of another kind; choose another name with device in "
                                     "wattle.conf");
    if (errno == EPERM)
      return Error(Errc::Config, "cannot make the network card " + name +
                                     ": wattle-tapd needs the capability CAP_NET_ADMIN");
    return os::system_error("cannot make the network card " + name);
  }
  int size = kHeaderSize;
  if (::ioctl(tun.raw(), TUNSETVNETHDRSZ, &size) != 0)
    return os::system_error("cannot set the header size of the card " + name);
  if (::ioctl(tun.raw(), TUNSETOFFLOAD, 0UL) != 0)
    return os::system_error("cannot set the offloads of the card " + name);
  if (const int flags = ::fcntl(tun.raw(), F_GETFL);
      flags < 0 || ::fcntl(tun.raw(), F_SETFL, flags | O_NONBLOCK) != 0)
    return os::system_error("cannot make the card " + name + " non-blocking");
  return {};
}

bool is_our_tap(const os::Fd& tap, const std::string& name) {
  ifreq request{};
  if (::ioctl(tap.raw(), TUNGETIFF, &request) != 0) return false;
  int size = 0;
  if (::ioctl(tap.raw(), TUNGETVNETHDRSZ, &size) != 0 || size != kHeaderSize) return false;
  return name == std::string_view(request.ifr_name, ::strnlen(request.ifr_name, IFNAMSIZ)) &&
         (request.ifr_flags & (kFlags | IFF_TUN)) == kFlags && device_index(tap).has_value();
}

Result<std::uint32_t> device_index(const os::Fd& tap) {
  ifreq request{};
  if (::ioctl(tap.raw(), TUNGETIFF, &request) != 0)
    return os::system_error("cannot ask the TAP descriptor for its device");
  const std::uint32_t index = ::if_nametoindex(request.ifr_name);
  if (index == 0) return os::system_error("cannot find the device of the TAP descriptor");
  return index;
}

}  // namespace wattle::tapd
