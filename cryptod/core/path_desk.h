// Which way frames go to a peer (DESIGN 7): straight if that works, else through the neighbour that
// the table names, else over the peer's own meta link. A way is taken only when an answer to our
// own nonce has come back through it, and left when three questions about it stayed unanswered.
#pragma once

#include <string>

#include "common/proto/origin_record.h"
#include "cryptod/core/own_endpoints.h"
#include "cryptod/core/session_keeper.h"

namespace wattle::cryptod {

class PathDesk {
 public:
  static constexpr Duration kQuestionPause = std::chrono::milliseconds(650);
  static constexpr std::uint32_t kQuestions = 3;  // left 1 s + 3 * 650 ms after the silence began
  static constexpr Duration kLeftPause = std::chrono::seconds(2);  // a left way without a successor
  static constexpr Duration kTrialLife = std::chrono::seconds(5);
  static constexpr Duration kFollowPause = std::chrono::milliseconds(200);
  static constexpr Duration kHintPause = std::chrono::seconds(1);  // rounds begun by new hints
  static constexpr Duration kJudge = std::chrono::seconds(2);
  static constexpr Duration kTraffic = std::chrono::seconds(60);  // "there is traffic" so long
  static constexpr Duration kCarriedAgain = std::chrono::seconds(30);
  static constexpr Duration kNatPause = std::chrono::seconds(25);
  static constexpr Duration kNatTraffic = std::chrono::minutes(5);
  static constexpr std::size_t kAtOnce = 3;  // direct endpoints asked at once

  PathDesk(EngineContext& context, SessionKeeper& sessions, OwnEndpoints& own)
      : ctx_(context), sessions_(sessions), own_(own) {}

  // ---- what may be used
  bool may_go_direct(const Peer& peer) const;  // its options word allows it
  // A neighbour's own path never is: others are routed over it. Unless its link is down.
  bool may_be_routed(const Peer& peer) const {
    return !peer.neighbour || peer.link_way == meta_link::LinkWay::Down;
  }
  bool allowed(const Peer& peer, const Path& path) const;
  // Direct endpoints to try, the lost one first, then those metad told of from the `round`th on.
  std::size_t candidates(const Peer& peer, std::size_t round,
                         std::span<Endpoint, kAtOnce> out) const;

  // ---- events
  // A valid datagram of a session has come. `newest`: none newer has come on the newest session.
  void heard(Peer& peer, const Path& from, bool newest);
  // A frame has come.
  void traffic(Peer& peer);
  // An answer to a question of ours; false: to none that was asked here.
  bool answered(Peer& peer, const Path& from, std::uint64_t nonce);
  // A handshake has been made through `from`: the way to use from now on.
  Path after_handshake(Peer& peer, const Path& from) const;
  void adopted(Peer& peer);
  // A question of someone else about the way in use stayed unanswered.
  void suspect(Peer& peer);
  // The peer does not hear us, whatever comes by the way in use.
  void unheard(Peer& peer);
  // metad has told of endpoints or options, or made it a neighbour, or not one any more.
  void hints_changed(Peer& peer, bool endpoints);
  void neighbour_changed(Peer& peer);

  void due(Peer& peer);
  // A packet of `size` bytes, IP header included, was too long for the peer's direct way.
  void too_big(Peer& peer, std::size_t size);
  Instant next(const Peer& peer) const;

  // One question about this way.
  void ask(Peer& peer, const Path& path, bool follow = false);
  bool has_traffic(const Peer& peer, Duration within) const {
    return ctx_.now() < peer.way.traffic_at + within;
  }
  void note(Peer& peer, std::string sentence);

 private:
  bool exists(const Peer& peer, PathKind kind) const;
  void consider(Peer& peer, const Path& from);
  void watch(Peer& peer);
  void ask_others(Peer& peer);
  void leave(Peer& peer);
  void change(Peer& peer, const Path& path);
  void arrived(Peer& peer);
  void try_direct(Peer& peer);
  void keep_mapping(Peer& peer);
  void say_way(Peer& peer, std::string_view before);

  EngineContext& ctx_;
  SessionKeeper& sessions_;
  OwnEndpoints& own_;
};

// Better ones first: Direct, Routed, Carried.
inline bool is_worse(const Path& a, const Path& b) { return a.kind > b.kind; }
// The same way, whichever of our addresses it reaches.
bool same_way(const Path& a, const Path& b);

}  // namespace wattle::cryptod
