#include "common/os/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <array>
#include <cerrno>

#include "common/base/mutant.h"
#include "common/base/secret.h"
#include "common/os/file.h"

namespace wattle::os {

namespace {

constexpr std::size_t kMaxDescriptors = 16;  // of one message
using ControlBuffer = std::array<std::uint8_t, CMSG_SPACE(kMaxDescriptors * sizeof(int))>;

int type_of(SocketKind kind) {
  switch (kind) {
    case SocketKind::Seqpacket:
      return SOCK_SEQPACKET;
    case SocketKind::Stream:
      return SOCK_STREAM;
    case SocketKind::Datagram:
      return SOCK_DGRAM;
  }
  return SOCK_SEQPACKET;
}

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return Error(Errc::BadValue, "the socket path '" + path + "' is empty or longer than " +
                                     std::to_string(sizeof address.sun_path - 1) + " bytes");
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// Takes ownership of every descriptor in the control data.
std::vector<Fd> take_descriptors(msghdr& header) {
  std::vector<Fd> out;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
      out.emplace_back(fd);
    }
  }
  return out;
}

}  // namespace

Result<Fd> listen_unix(const std::string& path, SocketKind kind, mode_t mode, int uid, int gid) {
  const sockaddr_un address = WATTLE_TRY(address_of(path));
  struct stat info {};
  if (lstat(path.c_str(), &info) == 0) {
    if (!S_ISSOCK(info.st_mode))
      return Error(Errc::Exists, path + " exists and is not a socket; remove it");
    if (unlink(path.c_str()) != 0) return system_error("cannot remove the old socket " + path);
  }
  Fd socket(::socket(AF_UNIX, type_of(kind) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return system_error("cannot make a unix socket");
  // The file takes the mode of the socket's inode: closed to all until owner and mode are right.
  if (fchmod(socket.raw(), 0) != 0) return system_error("cannot change the mode of a socket");
  if (::bind(socket.raw(), generic(address), sizeof address) != 0)
    return system_error("cannot bind the socket " + path);
  if ((uid >= 0 || gid >= 0) &&
      lchown(path.c_str(), static_cast<uid_t>(uid), static_cast<gid_t>(gid)) != 0)
    return system_error("cannot change the owner of " + path);
  if (chmod(path.c_str(), mode) != 0) return system_error("cannot change the mode of " + path);
  if (kind != SocketKind::Datagram && ::listen(socket.raw(), 64) != 0)
    return system_error("cannot listen on " + path);
  return socket;
}

Result<Fd> connect_unix(const std::string& path, SocketKind kind) {
  const sockaddr_un address = WATTLE_TRY(address_of(path));
  Fd socket(::socket(AF_UNIX, type_of(kind) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.is_open()) return system_error("cannot make a unix socket");
  while (::connect(socket.raw(), generic(address), sizeof address) != 0) {
    if (errno == EINTR) continue;
    if (errno == EAGAIN) return Error(Errc::Again, "nobody accepts on " + path + " at the moment");
    if (errno == ENOENT) return Error(Errc::NotFound, "there is no socket " + path);
    if (errno == ECONNREFUSED) return Error(Errc::Closed, "nobody listens on " + path);
    return system_error("cannot connect to " + path);
  }
  return socket;
}

Result<Fd> connect_lane(const std::string& path) {
  Fd socket = WATTLE_TRY(connect_unix(path, SocketKind::Seqpacket));
  const PeerCredentials maker = WATTLE_TRY(peer_credentials(socket.raw()));
  if (WATTLE_CHECKED(lane_maker, maker.uid != 0))
    return Error(Errc::Denied, "the socket " + path + " was made by uid " +
                                   std::to_string(maker.uid) +
                                   ", not by root; it will not be used");
  return socket;
}

Result<Fd> accept_unix(int listener) {
  for (;;) {
    Fd socket(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket.is_open()) return socket;
    if (errno == EINTR || errno == ECONNABORTED) continue;
    if (errno == EAGAIN) return Errc::Again;
    return system_error("cannot accept a connection");
  }
}

Result<PeerCredentials> peer_credentials(int socket) {
  ucred who{};
  socklen_t size = sizeof who;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || size != sizeof who)
    return system_error("cannot read the credentials of a socket's other end");
  return PeerCredentials{who.pid, who.uid, who.gid};
}

Result<Received> receive_message(int socket, std::size_t max_bytes) {
  // One buffer for all messages: a fresh one of the largest size for each would cost far more.
  static thread_local Bytes buffer;
  if (buffer.size() < max_bytes) buffer.resize(max_bytes);
  alignas(cmsghdr) ControlBuffer control;
  iovec part{buffer.data(), max_bytes};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t size = -1;
  // An end that closed with unread messages leaves one ECONNRESET in front of what it had sent:
  // what comes after it is still to be read.
  for (bool was_reset = false; size < 0;) {
    size = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size >= 0 || errno == EINTR) continue;
    if (errno == EAGAIN) return Errc::Again;
    if (errno == ECONNRESET && !was_reset) {
      was_reset = true;
      continue;
    }
    if (errno == ECONNRESET || errno == EPIPE || errno == ENOTCONN) return Errc::Closed;
    return system_error("cannot receive a message");
  }
  Received received;
  received.descriptors = take_descriptors(header);  // owned now: closed on every way out
  const auto used = MutableBytes(buffer).first(static_cast<std::size_t>(size));
  received.bytes = to_bytes(used);
  wipe(used);
  if (WATTLE_CHECKED(lane_truncated, (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)) {
    wipe(received.bytes);
    return Error(Errc::BadValue, "a message was larger than allowed or had too many descriptors");
  }
  if (size == 0) return Errc::Closed;
  return received;
}

Result<void> send_message(int socket, ByteView bytes, const std::vector<int>& descriptors) {
  WATTLE_CHECK(descriptors.size() <= kMaxDescriptors);
  alignas(cmsghdr) ControlBuffer control{};
  iovec part{const_cast<std::uint8_t*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(c), descriptors.data(), descriptors.size() * sizeof(int));
  }
  for (;;) {
    const ssize_t sent = ::sendmsg(socket, &header, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      // Only a stream socket can take a part; lanes never do.
      if (static_cast<std::size_t>(sent) != bytes.size()) return Errc::Full;
      return {};
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS) return Errc::Again;
    if (errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN || errno == ECONNREFUSED)
      return Errc::Closed;
    return system_error("cannot send a message");
  }
}

}  // namespace wattle::os
