// Small TCP steps on os::Fd.
#pragma once

#include "common/base/result.h"
#include "common/net/endpoint.h"
#include "common/os/fd.h"

namespace wattle::metad {

// Listening, non-blocking; IPv6 sockets take IPv6 only. An error names the endpoint and what to do.
Result<os::Fd> listen_tcp(const Endpoint& at);
// Accepted, non-blocking, with the other end; Again if there is none.
struct AcceptedTcp {
  os::Fd socket;
  Endpoint remote;
};
Result<AcceptedTcp> accept_tcp(int listener);
// A connection under way, non-blocking.
Result<os::Fd> connect_tcp(const Endpoint& to);

// Whom connections are counted for: an IPv4 address, or an IPv6 /64.
IpAddress host_of(const Endpoint& remote);

}  // namespace wattle::metad
