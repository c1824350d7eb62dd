// Neighbours are the members that metad has links with: with each a session is kept, also without
// traffic, and probed, all that are due at one beat; what the probes tell of loss and round trip
// is the cost of the link (DESIGN 6). Which path a neighbour has is not decided here.
#pragma once

#include "cryptod/core/handshake_flow.h"

namespace wattle::cryptod {

class NeighbourWatch {
 public:
  static constexpr Duration kBeat = std::chrono::seconds(3);
  // A question of the neighbour is answered together with our own, unless one has left so lately;
  // a beat leaves out whom it would ask again so soon. So a pair follows one of its two beats.
  static constexpr Duration kLately = kBeat / 2;
  // An answer is waited for so long, or four round trips; after a lost probe the next one follows
  // at once.
  static constexpr Duration kPatience = std::chrono::seconds(1);
  static constexpr std::uint32_t kLost = 3;      // in a row: down
  static constexpr std::uint32_t kDeaf = 2;      // handshakes out of time: it does not hear us
  static constexpr std::uint32_t kHistory = 16;  // probes that `loss` speaks of
  static constexpr Duration kTellPause = std::chrono::seconds(2);
  static constexpr Duration kRetryFirst = std::chrono::seconds(1);
  static constexpr Duration kRetryMost = std::chrono::seconds(30);
  static constexpr Duration kResponderGrace = std::chrono::seconds(15);  // to renew a session
  static constexpr Duration kGrace = std::chrono::seconds(10);  // not repeated by a new metad
  static constexpr std::size_t kMost = 4096;

  NeighbourWatch(EngineContext& context, SessionKeeper& sessions, HandshakeFlow& handshakes,
                 PathDesk& paths)
      : ctx_(context), sessions_(sessions), handshakes_(handshakes), paths_(paths) {}

  // ---- metad
  void connected();  // every LinkState; the neighbours are now held for this metad to repeat
  void neighbour(const meta_link::Neighbour& m);
  void snapshot_end();

  // ---- probes
  // An answer to a probe came from there; false: to none of these.
  bool answered(Peer& peer, const Path& from, std::uint64_t nonce);

  // A question of it came from there.
  void asked(Peer& peer, const Path& from);

  // Beat, lost probes, sessions to be made. Call at every tick.
  void due();
  // After every event, before the dirty peers are told of: sessions that came or went.
  void work();
  Instant next() const { return deadlines_.first(); }

  std::size_t size() const { return watched_.size(); }

 private:
  struct Watched {
    std::uint32_t slot;
    Instant beat_at = kNever;  // the next beat at which it is looked after
    bool held = false;         // told by an earlier metad only
    Instant forget_at = kNever;

    std::uint64_t nonce = 0;  // of the probe under way
    Instant sent{};
    Instant due{};             // the next one
    Instant lost_at = kNever;  // kNever: none is under way
    std::uint16_t misses = 0;  // of the last `probes`, newest in bit 0
    std::uint32_t probes = 0;
    std::uint32_t lost = 0;  // in a row, with nothing else heard
    Duration rtt{};          // smoothed; zero: not measured

    Instant want_at{};  // not before
    Duration want_pause = kRetryFirst;

    meta_link::LinkState told{};
    Instant told_at{};
    Instant tell_at = kNever;  // a change that waits for kTellPause
  };

  Watched* find(const Peer& peer);
  void keep_session(Watched& w, Peer& peer);
  void probe(Watched& w, Peer& peer);
  void count_probe(Watched& w, bool missed);
  void missed(Watched& w, Peer& peer);
  void set_way(Watched& w, Peer& peer, meta_link::LinkWay way);
  void tell(Watched& w, const Peer& peer, bool anyway);
  void forget(Watched& w);
  void look_after(Watched& w);
  void pass_beats();
  void schedule(Watched& w);

  EngineContext& ctx_;
  SessionKeeper& sessions_;
  HandshakeFlow& handshakes_;
  PathDesk& paths_;
  std::vector<Watched> watched_;
  DeadlineHeap deadlines_;  // by slot
  Instant beat_{};          // the next one, somebody due or not
};

}  // namespace wattle::cryptod
