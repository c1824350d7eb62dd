// The TLS connections between nodes: dialled and accepted, until they are links and until they end.
// A handshake has 5 s, a connection attempt too.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/os/log.h"
#include "metad/core/link.h"
#include "metad/io/line_stream.h"
#include "metad/io/tls.h"

namespace wattle::metad {

class PeerLinks {
 public:
  static constexpr Duration kHandshakeLimit = std::chrono::seconds(5);

  struct Callbacks {
    std::function<void(LinkId id, LinkUp up)> on_up;
    std::function<void(LinkId id, std::string_view line)> on_line;
    std::function<void(LinkId id, Bytes packet)> on_packet;
    std::function<void(LinkId id, bool congested)> on_congested;
    std::function<void(LinkId id)> on_down;                  // only after on_up
    std::function<void(DialId dial)> on_dial_failed;         // only before on_up
    std::function<void(const Endpoint& remote)> on_settled;  // an accepted one is up or gone
  };
  PeerLinks(os::EventLoop& loop, std::shared_ptr<const TlsContext> tls, Callbacks callbacks);
  ~PeerLinks();

  // For connections from now on: a renewed certificate.
  void use(std::shared_ptr<const TlsContext> tls) { tls_ = std::move(tls); }
  void accept(os::Fd socket, const Endpoint& remote);
  // Ends the accepted connection of this host (host_of) whose handshake has taken longest.
  void end_oldest_handshake(const IpAddress& host);
  // An attempt that cannot even begin is reported from the loop, not from here.
  void dial(DialId dial, const Endpoint& to);
  void cancel(DialId dial);  // no callback
  void send(LinkId id, std::string_view line);
  void send_packet(LinkId id, ByteView packet);
  void close(LinkId id);  // when what was sent has left; no callback
  // For SIGTERM: TERMREQ to everybody, at once.
  void say_goodbye();

 private:
  struct Connection;
  void add(std::unique_ptr<Connection> connection, os::Fd socket);
  void opened(Connection& connection);
  void ended(Connection& connection);
  void retire(Connection& connection);

  void tell_refusal(const Connection& connection, std::string_view why);

  os::EventLoop& loop_;
  os::log::Limited refusals_{4};
  std::shared_ptr<const TlsContext> tls_;
  Callbacks callbacks_;
  std::map<LinkId, std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>> retired_;
  std::vector<DialId> failed_;
  os::Watch sweep_, report_;
  LinkId next_id_ = 1;
};

}  // namespace wattle::metad
