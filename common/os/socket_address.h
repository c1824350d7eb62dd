// Endpoints as the kernel's sockaddr, and back.
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "common/base/result.h"
#include "common/net/endpoint.h"

namespace wattle::os {

// Fills `out`; its size. `interface`: the scope of an IPv6 link-local address, else not looked at.
socklen_t write_address(const Endpoint& to, std::uint32_t interface, sockaddr_storage& out);

// An AF_INET or AF_INET6 address; Unsupported for any other. *interface (if not null) is set where
// a link-local address names one.
Result<Endpoint> read_address(const sockaddr* from, std::uint32_t* interface = nullptr);

}  // namespace wattle::os
