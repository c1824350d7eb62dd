// tapd -> cryptod over /run/wattle/NET/crypto.tap (tapd connects; cryptod accepts only tapd's uid).
// At every connect tapd sends its whole state: Device, each UdpSocket, LocalAddresses, DeviceEnd;
// after that LocalAddresses whenever netlink says so. cryptod may ask for nothing yet but a
// repetition.
#pragma once

#include "common/ipc/lane.h"

namespace wattle::tap_link {

// The TAP queue. One descriptor: IFF_TAP | IFF_NO_PI | IFF_VNET_HDR (10-byte header), non-blocking.
struct Device {
  std::string name;
  std::uint16_t mtu = 0;
  MacAddress mac;
  static constexpr std::string_view kName = "Device";
  static constexpr std::size_t kDescriptors = 1;
  static constexpr auto fields() { return std::tuple(&Device::name, &Device::mtu, &Device::mac); }
};

// A bound, non-blocking UDP socket with packet info, GRO and buffer sizes already set.
struct UdpSocket {
  std::uint8_t family = 4;  // 4 or 6
  std::uint16_t port = 0;
  static constexpr std::string_view kName = "UdpSocket";
  static constexpr std::size_t kDescriptors = 1;
  static constexpr auto fields() { return std::tuple(&UdpSocket::family, &UdpSocket::port); }
};

// This host's unicast addresses on other interfaces that are up (never the TAP's own, no loopback).
struct LocalAddresses {
  std::vector<IpAddress> addresses;
  static constexpr std::string_view kName = "LocalAddresses";
  static constexpr auto fields() { return std::tuple(&LocalAddresses::addresses); }
};

struct DeviceEnd {  // the snapshot is complete
  std::uint8_t reserved = 0;
  static constexpr std::string_view kName = "DeviceEnd";
  static constexpr auto fields() { return std::tuple(&DeviceEnd::reserved); }
};

struct SendAgain {  // cryptod asks for the snapshot once more
  std::uint8_t reserved = 0;
  static constexpr std::string_view kName = "SendAgain";
  static constexpr auto fields() { return std::tuple(&SendAgain::reserved); }
};

using ToCryptod = ipc::Lane<Device, UdpSocket, LocalAddresses, DeviceEnd>;
using ToTapd = ipc::Lane<SendAgain>;

}  // namespace wattle::tap_link
