// Unix sockets: SOCK_SEQPACKET for lanes (with SCM_RIGHTS), SOCK_STREAM for the text debug socket.
#pragma once

#include <string>
#include <sys/types.h>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/os/fd.h"

namespace wattle::os {

enum class SocketKind { Seqpacket, Stream, Datagram };

// Listening (Datagram: bound) socket at path, non-blocking, CLOEXEC; mode and gid set on the file.
// An existing socket file is replaced.
Result<Fd> listen_unix(const std::string& path, SocketKind kind, mode_t mode, int uid = -1, int gid = -1);
Result<Fd> connect_unix(const std::string& path, SocketKind kind);  // blocking connect, then non-blocking
Result<Fd> accept_unix(int listener);                               // Again if there is none

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
// One message; Again if none is there, Closed at the end, BadValue if it was larger than max_bytes.
Result<Received> receive_message(int socket, std::size_t max_bytes);
// Again if the socket is full.
Result<void> send_message(int socket, ByteView bytes, const std::vector<int>& descriptors = {});

}  // namespace wattle::os
