// TCP sockets by value: from Endpoint to sockaddr and back.
#pragma once

#include "common/base/result.h"
#include "common/net/endpoint.h"
#include "common/os/fd.h"

namespace wattle::registry {

// Who is at the other end of a connected TCP socket.
Result<IpAddress> peer_address(int socket);

// A listening, non-blocking TCP socket (IPv6 ones take no IPv4). Exists, with a sentence, if the
// port is taken; Unsupported if the address family is not there.
Result<os::Fd> listen_tcp(const Endpoint& endpoint);

// Which of the host's own addresses others can most likely reach: one of the interface with the
// default route, else any that is not loopback, link-local or of a wattle device. NotFound if none.
Result<IpAddress> own_address();

}  // namespace wattle::registry
