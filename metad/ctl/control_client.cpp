#include "metad/ctl/control_client.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cerrno>

#include "common/os/clock.h"
#include "common/os/unix_socket.h"

namespace wattle::ctl {

namespace {

Failure away(const std::string& network) {
  return {Exit::NotRunning,
          "the daemons of " + network + " are not running: sudo wattle up " + network};
}

Failure nonsense() {
  return {Exit::General,
          "metad's reply makes no sense: are wattle and its daemons of one version?"};
}

}  // namespace

Outcome ControlClient::connect(std::string_view network, const os::Paths& paths,
                               ControlClient& out) {
  const std::string path = paths.run + "/meta";
  out.network_ = network;
  auto socket = os::connect_unix(path, os::SocketKind::Stream);
  if (!socket) {
    if (access(path.c_str(), W_OK) != 0 && errno == EACCES)
      return Failure{Exit::Denied, "you may not ask metad: use sudo, or join the group wattle"};
    return away(out.network_);
  }
  out.socket_ = std::move(*socket);
  return {};
}

Outcome ControlClient::ask(std::string_view command, Duration limit, ReplyCollector& out) {
  const std::string line = std::string(command) + "\n";
  // A fresh socket takes a line of this size at once.
  if (::send(socket_.raw(), line.data(), line.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(line.size()))
    return away(network_);
  const Instant deadline = os::now() + limit;
  ByteArray<16384> chunk;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - os::now());
    if (left.count() <= 0)
      return Failure{Exit::Timeout, "metad of " + network_ + " does not answer"};
    pollfd wait{socket_.raw(), POLLIN, 0};
    if (poll(&wait, 1, static_cast<int>(left.count())) <= 0) continue;
    const ssize_t got = ::read(socket_.raw(), chunk.data(), chunk.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (got <= 0) return away(network_);
    switch (out.feed(as_text(ByteView(chunk).first(static_cast<std::size_t>(got))))) {
      case ReplyCollector::State::More:
        continue;
      case ReplyCollector::State::Done:
        return {};
      case ReplyCollector::State::Broken:
        return nonsense();
    }
  }
}

Outcome ask_status(ControlClient& client, StatusReply& out) {
  ReplyCollector reply;
  if (const Outcome asked = client.ask("DUMP STATUS", kLookLimit, reply); !asked.ok()) return asked;
  if (reply.refusal()) return Failure{Exit::Denied, "metad refuses: " + reply.refusal()->sentence};
  auto status = parse_status(reply.lines());
  if (!status) return nonsense();
  out = std::move(*status);
  return {};
}

Outcome ask_peers(ControlClient& client, std::vector<PeerReply>& out) {
  ReplyCollector reply;
  if (const Outcome asked = client.ask("DUMP PEERS", kLookLimit, reply); !asked.ok()) return asked;
  if (reply.refusal()) return Failure{Exit::Denied, "metad refuses: " + reply.refusal()->sentence};
  auto peers = parse_peers(reply.lines());
  if (!peers) return nonsense();
  out = std::move(*peers);
  return {};
}

}  // namespace wattle::ctl
