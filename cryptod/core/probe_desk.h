// Probes inside sessions (probe_body.h): answers questions, hands answers to whoever asked, tells
// what a neighbour sees of us, and asks for `wattle ping`.
#pragma once

#include "cryptod/core/neighbour_watch.h"

namespace wattle::cryptod {

class ProbeDesk {
 public:
  static constexpr Duration kPingLife = std::chrono::seconds(3);
  static constexpr std::size_t kPings = 64;

  ProbeDesk(EngineContext& context, SessionKeeper& sessions, HandshakeFlow& handshakes,
            PathDesk& paths, OwnEndpoints& own, NeighbourWatch& watch)
      : ctx_(context),
        sessions_(sessions),
        handshakes_(handshakes),
        paths_(paths),
        own_(own),
        watch_(watch) {}

  // A probe that was opened on `session`. False: malformed.
  bool probe(Peer& peer, Session& session, const Path& from, ByteView body);

  void ping(const meta_link::Probe& request);
  // Sends pings whose session has come up, ends those whose time is over.
  void work();
  Instant next() const;
  void forget() { pings_.clear(); }  // metad is gone

 private:
  struct Ping {
    std::uint32_t id = 0, slot = 0;
    std::uint64_t nonce = 0;
    bool sent = false;
    Instant asked, sent_at;
  };
  void send_question(Peer& peer, const Path& path, std::uint64_t nonce);
  void answered(Peer& peer, const Path& from, std::uint64_t nonce);

  EngineContext& ctx_;
  SessionKeeper& sessions_;
  HandshakeFlow& handshakes_;
  PathDesk& paths_;
  OwnEndpoints& own_;
  NeighbourWatch& watch_;
  std::vector<Ping> pings_;
};

meta_link::PeerWay way_of(const Path& path);

}  // namespace wattle::cryptod
