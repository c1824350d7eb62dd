// Probes inside sessions (inner type 4: nonce 8 || 0 question, 1 answer). They confirm a new path
// (only an answer to our nonce through that very path counts) and serve `wattle ping`.
#pragma once

#include "cryptod/core/handshake_flow.h"

namespace wattle::cryptod {

class ProbeDesk {
 public:
  static constexpr std::size_t kBody = 9;
  static constexpr Duration kTrialPause = std::chrono::milliseconds(200);
  static constexpr Duration kPingLife = std::chrono::seconds(3);
  static constexpr std::size_t kPings = 64;

  ProbeDesk(EngineContext& context, SessionKeeper& sessions, HandshakeFlow& handshakes)
      : ctx_(context), sessions_(sessions), handshakes_(handshakes) {}

  // The newest packet of the newest session came another way: try that way.
  void consider(Peer& peer, const Path& from);
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
  std::vector<Ping> pings_;
};

}  // namespace wattle::cryptod
