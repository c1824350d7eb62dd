// Unix sockets: SOCK_SEQPACKET for lanes (with SCM_RIGHTS), SOCK_STREAM for the text debug socket.
#pragma once

#include <sys/types.h>
#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/os/fd.h"

namespace wattle::os {

enum class SocketKind { Seqpacket, Stream, Datagram };

// Listening (Datagram: bound) socket at path, non-blocking, CLOEXEC; mode and gid set on the file.
// An existing socket file is replaced; any other file there is Exists. Closed to all until mode and
// owner are set.
Result<Fd> listen_unix(const std::string& path, SocketKind kind, mode_t mode, int uid = -1,
                       int gid = -1);
// Non-blocking, CLOEXEC. Never waits: NotFound (no such file), Closed (nobody listens), Again (the
// listener's queue is full), else System; a caller that keeps trying treats them alike.
Result<Fd> connect_unix(const std::string& path, SocketKind kind);
// connect_unix to a lane, and Denied unless uid 0 made the socket. Used before the seal by keyd,
// and again and again by tapd and metad (whose policies allow socket(AF_UNIX), connect and
// getsockopt).
Result<Fd> connect_lane(const std::string& path);
Result<Fd> accept_unix(int listener);  // accept4; non-blocking, CLOEXEC; Again if there is none

struct PeerCredentials {
  pid_t pid = 0;
  uid_t uid = 0;
  gid_t gid = 0;
};
// SO_PEERCRED. On the connecting side this is who made the listening socket.
Result<PeerCredentials> peer_credentials(int socket);

struct Received {
  Bytes bytes;
  std::vector<Fd> descriptors;
};
// One message (recvmsg), at most 16 descriptors, each CLOEXEC; Again if none is there, Closed at
// the end, BadValue if it was larger than max_bytes.
Result<Received> receive_message(int socket, std::size_t max_bytes);
// sendmsg without SIGPIPE. Again if the socket is full, Closed if the other end is gone; the caller
// keeps its descriptors.
Result<void> send_message(int socket, ByteView bytes, const std::vector<int>& descriptors = {});

}  // namespace wattle::os
