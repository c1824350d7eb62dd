// Hole punching (DESIGN 7): while frames go through others, both sides tell each other their
// endpoints inside the session; each then opens its own NAT with a packet that dies underway (TTL
// 2) and asks through the hole. What a member names is hostile until proven: few endpoints, few
// packets, and one budget for all of it, so that nobody can flood a third party through us.
#pragma once

#include "cryptod/core/endpoint_note.h"
#include "cryptod/core/path_desk.h"

namespace wattle::cryptod {

class PunchDesk {
 public:
  // Questions after the opener.
  static constexpr std::array<Duration, 5> kSteps{Duration{}, std::chrono::milliseconds(200),
                                                  std::chrono::milliseconds(500),
                                                  std::chrono::seconds(1), std::chrono::seconds(2)};
  static constexpr Duration kJudge = std::chrono::seconds(1);  // after the last of them
  static constexpr Duration kNotePause = std::chrono::seconds(30);
  static constexpr Duration kNoteMost = std::chrono::minutes(5);
  static constexpr Duration kHearPause = std::chrono::seconds(10);
  static constexpr Duration kFlowing = std::chrono::seconds(10);
  static constexpr std::uint8_t kOpenerTtl = 2;
  static constexpr std::uint64_t kPacketsPerSecond = 40;

  PunchDesk(EngineContext& context, SessionKeeper& sessions, PathDesk& paths, OwnEndpoints& own)
      : ctx_(context), sessions_(sessions), paths_(paths), own_(own) {}

  // Endpoint information of this peer. False: malformed.
  bool endpoints(Peer& peer, ByteView body);
  void due(Peer& peer);
  Instant next(const Peer& peer) const;

 private:
  Instant note_at(const Peer& peer) const;
  void send_note(Peer& peer);
  void send_opener(Peer& peer, const Endpoint& to);
  void step(Peer& peer);
  void judge(Peer& peer);

  EngineContext& ctx_;
  SessionKeeper& sessions_;
  PathDesk& paths_;
  OwnEndpoints& own_;
  TokenBucket packets_{kPacketsPerSecond, kPacketsPerSecond};
};

}  // namespace wattle::cryptod
