// Verifies what is said of members, wherever it comes from (metad, message 1, a live session), and
// keeps tables in step: one seen record and one highest serial per address (vectors' decision 18).
#pragma once

#include "cryptod/core/neighbour_desk.h"
#include "cryptod/core/session_keeper.h"

namespace wattle::cryptod {

class MemberBook {
 public:
  static constexpr Duration kAskFirst = std::chrono::seconds(1);
  static constexpr Duration kAskMost = std::chrono::seconds(16);
  static constexpr Duration kLookAgain = std::chrono::minutes(10);  // clocks get set
  static constexpr Duration kReclaimPause = std::chrono::seconds(10);

  MemberBook(EngineContext& context, SessionKeeper& sessions, NeighbourDesk& neighbours)
      : ctx_(context), sessions_(sessions), neighbours_(neighbours) {}

  // Runs the acceptance list and, if all is well, installs the member.
  Check verify(Peer& peer, ByteView record, ByteView credential);
  // A refusal by the acceptance list, of a message 1 or of anything else. Two records with one
  // epoch are counted by themselves: their owner's key, or keyd's counter, is in other hands, too.
  void refused(Check check, ByteView record, const SeenRecord* seen, bool message1);
  // After an accept_record of its own (message 1). False: its MAC is another member's.
  bool install(Peer& peer, const Accepted& accepted, ByteView record, ByteView credential);

  // Its record is there and may be used for a handshake now.
  bool usable(const Peer& peer) const;
  // REQ_KEY through metad, at most once a pause that doubles; `epoch`: at least this one.
  void ask(Peer& peer, std::uint64_t epoch);
  // The same at once, whatever the pause: the caller sees to it that this cannot be repeated.
  void ask_now(Peer& peer, std::uint64_t epoch);

  // Cuts off every member whose credential is revoked, has ended, or is of a retired key: all are
  // looked at, since the document in force is another one.
  void sweep();
  // The same of those alone whose credential ends now.
  void expire();
  // Makes room: forgets peers of whom nothing but an old hint is known. Nothing is done while the
  // table is not half full, or nothing has been taken away from a peer.
  void make_room();
  void reclaim();
  Instant next() const;

 private:
  void judge(Peer& peer);
  void cut(Peer& peer);
  EngineContext& ctx_;
  SessionKeeper& sessions_;
  NeighbourDesk& neighbours_;
  TokenBucket asks_{200, 256};
  DeadlineHeap ends_;  // of credentials, by the wall clock
  Instant reclaim_at_{};
};

}  // namespace wattle::cryptod
