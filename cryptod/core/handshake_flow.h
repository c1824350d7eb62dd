// When a handshake begins, is repeated, answered and given up (security.md 2.5.3). Nothing here
// ever answers a datagram whose sender did not prove to be a member.
#pragma once

#include "cryptod/core/handshake_gate.h"
#include "cryptod/core/member_book.h"
#include "cryptod/core/path_desk.h"

namespace wattle::cryptod {

class HandshakeFlow {
 public:
  static constexpr Duration kFirstRetry = std::chrono::seconds(1);
  static constexpr Duration kRetry = std::chrono::seconds(5);
  // With a peer of before our start: the way through others is there only when their sessions are,
  // and one lost datagram must not cost the second in which we are to be back. Pauses double.
  static constexpr Duration kReturnRetry = std::chrono::milliseconds(150);
  static constexpr std::uint32_t kReturnTries = 3;
  static constexpr Duration kReturnPatience = std::chrono::seconds(5);
  static constexpr Duration kGiveUp = std::chrono::seconds(90);
  static constexpr Duration kRetryJitter = std::chrono::milliseconds(333);
  static constexpr Duration kAwaitConfirmation = std::chrono::seconds(3);
  static constexpr Duration kEarly = std::chrono::seconds(5);  // before a session is to be renewed
  static constexpr Duration kKeepNext = std::chrono::seconds(15);
  static constexpr Duration kConfirmAgain = std::chrono::milliseconds(250);
  static constexpr std::uint32_t kConfirmations = 3;  // repetitions
  static constexpr std::size_t kPathsAtOnce = 6;
  static constexpr std::uint32_t kCarriedTry = 3;  // from this try on over a neighbour's link, too
  static constexpr std::uint64_t kNoticeRate = 50, kNoticeBurst = 100;  // stale-key notices

  HandshakeFlow(EngineContext& context, SessionKeeper& sessions, MemberBook& members,
                PathDesk& paths)
      : ctx_(context),
        sessions_(sessions),
        members_(members),
        paths_(paths),
        gate_(context.random) {}

  // A session is wanted: begins a handshake, or asks for the key, unless either is under way.
  void want(Peer& peer);
  // A newer record is here: begins anew with it.
  void begin_anew(Peer& peer);
  void message1(const Received& datagram);
  void message2(const Received& datagram);
  // A notice that the record we used is not the newest (handshake_stale.cpp).
  void stale(const Received& datagram);
  // A cookie for the message 1 that we sent (handshake_cookie.cpp).
  void cookie(const Received& datagram);
  // Retry, give up, begin what was paced.
  void due(Peer& peer);

 private:
  void attempt(Peer& peer, Instant first, std::uint32_t tries);
  bool is_returning(const Peer& peer) const {
    return ctx_.now() < peer.return_until && !peer.current;
  }
  Duration pause_after(const Peer& peer, std::uint32_t tries);
  std::size_t gather_paths(const Peer& peer, std::uint32_t tries,
                           std::array<Path, kPathsAtOnce>& out) const;
  void say_attempt(Peer& peer, std::span<const Path> paths);
  void answer(Peer& peer, const Responder& responder, const Received& datagram);
  void tell_stale(const LocalKey& used, const Received& datagram);
  HandshakeGate::Place place_of(const Received& datagram) const;
  bool is_expected(const Received& datagram) const;
  void tell_cookie(const LocalKey& used, const Received& datagram,
                   const HandshakeGate::Place& place, bool expected);
  void refuse(WireCheck check);

  EngineContext& ctx_;
  SessionKeeper& sessions_;
  MemberBook& members_;
  PathDesk& paths_;
  HandshakeGate gate_;
  TokenBucket starts_{300, 64};
  TokenBucket notices_{kNoticeRate, kNoticeBurst};
  std::array<Mac, 256> answered_{};  // mac1 of accepted first messages, by their last byte
};

// The counter of each refusal.
Counter counter_of(WireCheck check);

}  // namespace wattle::cryptod
