#include "metad/ctl/up_notify.h"

#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "common/os/file.h"
#include "common/os/unix_socket.h"

namespace wattle::ctl {
namespace {

constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxStatus = 200;
constexpr std::size_t kMaxDescriptors = 4;  // of one message

bool is_store_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxName && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
  });
}

std::string printable(std::string_view text) {
  std::string out(text.substr(0, kMaxStatus));
  for (char& c : out)
    if (c < ' ' || c > '~') c = '?';
  return out;
}

}  // namespace

Result<Notification> parse_notification(std::string_view text) {
  Notification out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (line == "READY=1") out.ready = true;
    if (line == "WATCHDOG=1") out.watchdog = true;
    if (line == "FDSTORE=1") out.store = true;
    if (line == "FDSTOREREMOVE=1") out.remove = true;
    if (line.starts_with("STATUS=")) out.status = printable(line.substr(7));
    if (line.starts_with("FDNAME=")) {
      if (!is_store_name(line.substr(7))) return Errc::BadValue;
      out.name = line.substr(7);
    }
  }
  return out;
}

Result<os::Fd> open_notify_socket(const std::string& path, uid_t uid) {
  os::Fd fd =
      WATTLE_TRY(os::listen_unix(path, os::SocketKind::Datagram, 0600, static_cast<int>(uid), 0));
  const int on = 1;
  if (::setsockopt(fd.raw(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0)
    return os::system_error("cannot ask for credentials on " + path);
  return fd;
}

Result<Notified> receive_notification(int socket) {
  std::array<char, kMaxNotification> text;
  alignas(cmsghdr)
      std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(kMaxDescriptors * sizeof(int))>
          control;
  iovec part{text.data(), text.size()};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t size = 0;
  do {
    size = ::recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && errno == EAGAIN) return Errc::Again;
  if (size < 0) return os::system_error("cannot read a notify socket");
  Notified out;
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    if (c->cmsg_type == SCM_RIGHTS) {
      for (std::size_t at = 0; at + sizeof(int) <= c->cmsg_len - CMSG_LEN(0); at += sizeof(int)) {
        int fd = -1;
        std::memcpy(&fd, CMSG_DATA(c) + at, sizeof fd);
        out.descriptors.emplace_back(fd);
      }
    } else if (c->cmsg_type == SCM_CREDENTIALS && c->cmsg_len == CMSG_LEN(sizeof(ucred))) {
      ucred who{};
      std::memcpy(&who, CMSG_DATA(c), sizeof who);
      out.pid = who.pid;
    }
  }
  if ((header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return Errc::BadValue;
  out.what = WATTLE_TRY(parse_notification({text.data(), static_cast<std::size_t>(size)}));
  return out;
}

}  // namespace wattle::ctl
