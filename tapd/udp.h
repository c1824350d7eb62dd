// The network's UDP sockets, one per address family, bound to the data port with everything set
// that needs a right or happens once: packet info, path MTU left to us, large buffers, mark, GRO.
#pragma once

#include <cstdint>

#include "common/base/result.h"
#include "common/os/fd.h"

namespace wattle::tapd {

inline constexpr std::uint32_t kMark = 0x7761;  // "wa": traffic of the VPN itself
inline constexpr int kSocketBuffer = 8 * 1024 * 1024;

// family 4 or 6. Config in words if the port is taken or not allowed, Unsupported if the host does
// not have that family.
Result<os::Fd> open_udp(std::uint8_t family, std::uint16_t port);

// Is this a UDP socket of that family, bound to any address at that port?
bool is_our_udp(const os::Fd& socket, std::uint8_t family, std::uint16_t port);

}  // namespace wattle::tapd
