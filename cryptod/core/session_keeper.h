// Sends on sessions, and makes, replaces and closes them. No decisions about handshakes here.
#pragma once

#include "cryptod/core/engine_context.h"

namespace wattle::cryptod {

inline constexpr std::size_t kMostCarried = 4095;  // bytes of a PACKET (wattle-meta(7))

class SessionKeeper {
 public:
  static constexpr Duration kKeepPrevious = std::chrono::seconds(60);
  static constexpr Duration kUnanswered = std::chrono::seconds(15);
  static constexpr Duration kKeepalive = std::chrono::seconds(10);
  static constexpr Duration kSilence = std::chrono::seconds(1);
  static constexpr Duration kAskTakes = std::chrono::milliseconds(200);

  // Whether the other side will say something to what is sent. If it does not for kUnanswered, a
  // new handshake is made.
  enum class Expects { Answer, Nothing };

  explicit SessionKeeper(EngineContext& context) : ctx_(context) {}

  // Whether something can be sent to this peer now.
  bool can_send(const Peer& peer) const {
    return peer.current && peer.path && peer.current->can_send(ctx_.now());
  }
  // Over the confirmed path on the newest session, frames in fragments where they are too long for
  // it; false if there is none.
  bool send(Peer& peer, InnerType type, ByteView body);
  // A confirmation or keepalive, with what we take.
  void send_empty(Peer& peer);
  void send_empty_on(Peer& peer, Session& session, const Path& path);
  // Asks what the other side takes, now and then, until it has told.
  void ask_takes(Peer& peer);
  // How long a body may be that is to go as one datagram to a peer that can_send().
  std::size_t room(const Peer& peer) const;
  // The same in two steps, for a body that is written where it is sealed: room for a datagram with
  // so long a body (at kTransportBody; empty if there is none), and sending it to a peer that
  // can_send().
  MutableBytes make_room(std::size_t body);
  void send_room(Peer& peer, InnerType type, MutableBytes datagram);
  // Over this path on this session.
  void send_on(Peer& peer, Session& session, const Path& path, InnerType type, ByteView body,
               Expects expects);
  // Something should come back over the path in use: if nothing does for kSilence, PathDesk asks.
  void await(Peer& peer);
  // Everything queued that is still fresh; says how many.
  std::size_t flush(Peer& peer);
  // A sealed datagram, or one that is not TRANSPORT, to this peer. Routed: to the neighbour that
  // the table names now, over its own path; Carried: as PACKET over the peer's own link.
  void send_raw(const Peer& to, const Path& path, ByteView bytes);
  // Back the way this one came; only a way over others needs a sender that we know.
  void send_back(const Received& datagram, ByteView bytes);
  // Makes it the peer's confirmed path (or takes that away). Whoever changes Peer.path calls this.
  void set_path(Peer& peer, const std::optional<Path>& path);

  // Makes it the peer's session: confirmed path, the former one kept for a minute, own handshake
  // ended.
  void adopt(Peer& peer, std::unique_ptr<Session> session, const Path& path);
  void drop_handshake(Peer& peer);
  void drop_next(Peer& peer);
  void drop_previous(Peer& peer);
  void drop_current(Peer& peer);
  void drop_all(Peer& peer);  // and the queue

 private:
  void account(Peer& peer, InnerType type, std::size_t size, Expects expects);
  bool send_fragments(Peer& peer, InnerType type, ByteView body);
  void send_direct(const Path& path, ByteView bytes);
  EngineContext& ctx_;
};

// Where a datagram came from, as a path back.
Path path_of(const Received& datagram);

}  // namespace wattle::cryptod
