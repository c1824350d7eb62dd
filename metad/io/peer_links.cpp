#include "metad/io/peer_links.h"

#include <openssl/ssl.h>

#include "common/os/clock.h"
#include "metad/io/tcp.h"

namespace wattle::metad {

struct PeerLinks::Connection {
  LinkId id = 0;
  bool dialled = false;
  DialId dial = 0;
  Endpoint remote;
  bool up = false;
  bool silent = false;  // nobody is to be told of its end
  bool retired = false;
  std::shared_ptr<const TlsContext> tls;  // its verification refers to it
  std::unique_ptr<LineStream> stream;
  os::Watch deadline;
};

PeerLinks::PeerLinks(os::EventLoop& loop, std::shared_ptr<const TlsContext> tls,
                     Callbacks callbacks)
    : loop_(loop), tls_(std::move(tls)), callbacks_(std::move(callbacks)) {}

PeerLinks::~PeerLinks() = default;

void PeerLinks::accept(os::Fd socket, const Endpoint& remote) {
  auto connection = std::make_unique<Connection>();
  connection->remote = remote;
  add(std::move(connection), std::move(socket));
}

void PeerLinks::end_oldest_handshake(const IpAddress& host) {
  for (auto& [id, connection] : connections_)  // ids rise
    if (!connection->dialled && !connection->up && host_of(connection->remote) == host)
      return ended(*connection);
}

void PeerLinks::dial(DialId dial, const Endpoint& to) {
  auto socket = connect_tcp(to);
  if (!socket) {
    failed_.push_back(dial);
    report_ = loop_.after(Duration::zero(), [this] {
      for (const DialId id : std::exchange(failed_, {})) callbacks_.on_dial_failed(id);
    });
    return;
  }
  auto connection = std::make_unique<Connection>();
  connection->dialled = true;
  connection->dial = dial;
  connection->remote = to;
  add(std::move(connection), std::move(*socket));
}

void PeerLinks::add(std::unique_ptr<Connection> owned, os::Fd socket) {
  Connection& connection = *owned;
  connection.id = next_id_++;
  connection.tls = tls_;
  LineStream::Callbacks callbacks;
  callbacks.on_open = [this, &connection] { opened(connection); };
  callbacks.on_line = [this, &connection](std::string line) {
    if (connection.up) callbacks_.on_line(connection.id, line);
  };
  callbacks.on_packet = [this, &connection](Bytes packet) {
    if (connection.up) callbacks_.on_packet(connection.id, std::move(packet));
  };
  callbacks.on_congested = [this, &connection](bool congested) {
    if (connection.up) callbacks_.on_congested(connection.id, congested);
  };
  callbacks.on_end = [this, &connection](std::string_view why) {
    tell_refusal(connection, why);
    ended(connection);
  };
  connection.stream = std::make_unique<LineStream>(loop_, std::move(socket),
                                                   tls_->make_connection(connection.dialled),
                                                   connection.dialled, std::move(callbacks));
  connection.deadline = loop_.after(kHandshakeLimit, [this, &connection] { ended(connection); });
  connections_.emplace(connection.id, std::move(owned));
}

void PeerLinks::opened(Connection& connection) {
  connection.deadline.reset();
  const auto peer = connection.tls->peer(connection.stream->ssl(), os::unix_now());
  if (!peer) return ended(connection);
  connection.up = true;
  if (!connection.dialled) callbacks_.on_settled(connection.remote);
  LinkUp up;
  up.dialled = connection.dialled;
  up.dial = connection.dial;
  up.remote = connection.remote;
  up.address = peer->address;
  up.name = peer->name;
  up.serial = peer->serial;
  up.own_serial = connection.tls->serial();
  up.expires = peer->expires;
  up.ca_der = peer->ca_der;
  callbacks_.on_up(connection.id, std::move(up));
}

// Certificates that have ended, or that are of a retired CA, either way.
void PeerLinks::tell_refusal(const Connection& connection, std::string_view why) {
  if (connection.retired || connection.silent) return;
  const os::log::Field where{os::log::Key::Ep, connection.remote.text()};
  if (why == LineStream::kRefused)
    return refusals_.write(os::log::Level::Notice,
                           "a neighbour refuses our certificate: it has ended, or a key that made "
                           "it is retired; it is renewed when the registry is reached",
                           {where});
  if (!connection.up && SSL_get_verify_result(connection.stream->ssl()) != X509_V_OK)
    refusals_.write(os::log::Level::Info,
                    "a certificate is refused: it has ended, or is of no CA in force", {where});
}

void PeerLinks::ended(Connection& connection) {
  if (connection.retired) return;
  const LinkId id = connection.id;
  const DialId dial = connection.dial;
  const bool silent = connection.silent, up = connection.up, dialled = connection.dialled;
  const Endpoint remote = connection.remote;
  retire(connection);
  if (!up && !dialled) callbacks_.on_settled(remote);
  if (silent) return;
  if (up)
    callbacks_.on_down(id);
  else if (dialled)
    callbacks_.on_dial_failed(dial);
}

// Taken out now, destroyed by the loop: one of its own callbacks may be running.
void PeerLinks::retire(Connection& connection) {
  connection.retired = true;
  connection.deadline.reset();
  const auto at = connections_.find(connection.id);
  retired_.push_back(std::move(at->second));
  connections_.erase(at);
  sweep_ = loop_.after(Duration::zero(), [this] { retired_.clear(); });
}

void PeerLinks::cancel(DialId dial) {
  std::erase(failed_, dial);
  for (auto& [id, connection] : connections_) {
    if (!connection->dialled || connection->up || connection->dial != dial) continue;
    connection->silent = true;
    return retire(*connection);
  }
}

void PeerLinks::send(LinkId id, std::string_view line) {
  const auto at = connections_.find(id);
  if (at != connections_.end()) at->second->stream->send(line);
}

void PeerLinks::send_packet(LinkId id, ByteView packet) {
  const auto at = connections_.find(id);
  if (at != connections_.end()) at->second->stream->send_packet(packet);
}

void PeerLinks::close(LinkId id) {
  const auto at = connections_.find(id);
  if (at == connections_.end()) return;
  at->second->silent = true;
  at->second->stream->finish();
}

void PeerLinks::say_goodbye() {
  for (auto& [id, connection] : connections_) {
    connection->silent = true;
    if (!connection->up) continue;
    connection->stream->send("TERMREQ");
    connection->stream->finish();
  }
}

}  // namespace wattle::metad
