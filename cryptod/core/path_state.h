// What is known of the ways to one peer besides the one in use (Peer::path): questions under way,
// the watch over the way in use, what is tried next. Plain data; PathDesk and PunchDesk act on it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/base/time.h"
#include "cryptod/core/path.h"
#include "cryptod/core/path_history.h"
#include "cryptod/core/path_size.h"

namespace wattle::cryptod {

inline constexpr Instant kLongAgo{-std::chrono::hours(24)};

// A probe question under way: only its answer, through that very way, proves the way.
struct PathTrial {
  Path path;
  std::uint64_t nonce = 0;
  Instant sent;
  std::uint32_t asked = 1;  // times with this nonce; more than once: no round trip is taken of it
  bool follow = false;      // the peer's newest packet came this way
};

// Hole punching, the last or the running one.
struct Punch {
  std::vector<Endpoint> targets;  // that the peer told of and that may be used
  bool changing = false;          // it says that its NAT gives each destination another port
  std::size_t step = 0;           // the next of PunchDesk::kSteps
  Instant began;
  Instant next_at = kNever;
};

struct PathState {
  static constexpr std::size_t kTrials = 16;
  std::vector<PathTrial> trials;  // at most one for each way, at most kTrials

  PathSize size;  // of Peer::path

  // The watch over Peer::path.
  Instant heard_at = kLongAgo;      // anything came through it
  Instant waiting_since = kNever;   // frames left by it and nothing has come through it since
  Instant probe_at = kNever;        // the next question about it, while waiting
  std::uint32_t unanswered = 0;     // questions without an answer
  bool left = false;                // given up, but nothing else has answered yet
  std::optional<Path> spare;        // another way that has answered meanwhile
  Instant follow_at = kLongAgo;     // the peer's other ways are not asked about before that
  Instant traffic_at = kLongAgo;    // a frame went or came
  std::optional<Path> lost_direct;  // the direct way that was left: tried again first
  std::optional<Path> said;         // the way of which the history speaks

  // Direct endpoints tried while no direct way is in use.
  std::size_t tries = 0;      // rounds since the last direct way
  Instant try_at = kNever;    // next round
  Instant judge_at = kNever;  // end of the round under way
  std::vector<Endpoint> tried;
  Instant hinted_at = kLongAgo;  // new hints begin the rounds anew then
  Instant nat_at = kNever;       // the next packet that keeps a NAT's mapping

  // Endpoint information (punch_desk.h).
  Instant note_sent_at = kLongAgo, note_heard_at = kLongAgo;
  std::size_t notes = 0;  // sent since the last direct way
  std::unique_ptr<Punch> punch;

  PathHistory history;

  // All is well with the way in use.
  void rest(Instant now) {
    heard_at = now;
    waiting_since = probe_at = kNever;
    unanswered = 0;
    left = false;
    spare.reset();
  }
};

}  // namespace wattle::cryptod
