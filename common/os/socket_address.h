// Endpoints as the kernel's sockaddr, and back; listening on one.
#pragma once

#include <sys/socket.h>

#include <cstdint>

#include "common/base/result.h"
#include "common/net/endpoint.h"
#include "common/os/fd.h"

namespace wattle::os {

// Fills `out`; its size. `interface`: the scope of an IPv6 link-local address, else not looked at.
socklen_t write_address(const Endpoint& to, std::uint32_t interface, sockaddr_storage& out);

// An AF_INET or AF_INET6 address; Unsupported for any other. *interface (if not null) is set where
// a link-local address names one.
Result<Endpoint> read_address(const sockaddr* from, std::uint32_t* interface = nullptr);

// A listening, non-blocking TCP socket (IPv6 ones take no IPv4). Exists, with a sentence, if the
// port is taken; Unsupported if the host has no such address or family.
Result<Fd> listen_tcp(const Endpoint& at);

}  // namespace wattle::os
