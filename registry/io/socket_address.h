// The addresses of this host, and of those who ask it.
#pragma once

#include "common/base/result.h"
#include "common/net/ip_address.h"

namespace wattle::registry {

// Who is at the other end of a connected TCP socket.
Result<IpAddress> peer_address(int socket);

// Which of the host's own addresses others can most likely reach: one of the interface with the
// default route, else any that is not loopback, link-local or of a wattle device. NotFound if none.
Result<IpAddress> own_address();

}  // namespace wattle::registry
