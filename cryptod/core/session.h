// A session: two keys, one counter, one replay window, and its limits (security.md 2.5.3).
#pragma once

#include "common/base/time.h"
#include "common/crypto/aead.h"
#include "cryptod/core/replay_window.h"
#include "cryptod/core/session_keys.h"
#include "cryptod/core/wire_header.h"

namespace wattle::cryptod {

inline constexpr Duration kRekeyAfter = std::chrono::seconds(120);
inline constexpr Duration kRejectAfter = std::chrono::seconds(180);
inline constexpr std::uint64_t kRekeyFrames = std::uint64_t{1} << 27;
inline constexpr std::uint64_t kRekeyBytes = std::uint64_t{1} << 38;
inline constexpr std::uint64_t kCounterLimit = std::uint64_t{1} << 28;
inline constexpr std::uint64_t kTagFailureLimit = std::uint64_t{1} << 36;

// What a side takes, told in Empty; a side that has told nothing takes nothing of it.
inline constexpr std::uint8_t kTakesUnsummed = 0x01;
inline constexpr std::uint8_t kTakesPacks = 0x02;
inline constexpr std::uint8_t kTakesFragments = 0x04;
inline constexpr std::uint8_t kTellYours = 0x80;  // the teller has not heard the other's yet

class Session {
 public:
  Session(SessionKeys keys, Instant now);

  std::uint32_t my_index() const { return my_index_; }
  const ByteArray<16>& id() const { return id_; }
  bool initiator() const { return initiator_; }
  Instant born() const { return born_; }
  bool too_old(Instant now) const { return now >= born_ + kRejectAfter; }
  bool can_send(Instant now, std::uint64_t datagrams = 1) const {
    return !too_old(now) && next_counter_ + datagrams <= kCounterLimit;
  }
  // Volume or age says that a new one should be made.
  bool wants_rekey(Instant now) const;
  // Too many forged tags have been tried.
  bool worn_out() const { return tag_failures_ >= kTagFailureLimit; }

  // Writes a TRANSPORT datagram of kTransportOverhead + body.size() bytes into `out` and returns
  // its size. The caller asked can_send().
  std::size_t seal(InnerType type, ByteView body, MutableBytes out);
  // The same where the body stands in `out` already, at kTransportBody.
  void seal_in_place(InnerType type, MutableBytes out);

  struct Opened {
    std::uint8_t type = 0;
    std::uint64_t counter = 0;
    MutableBytes body;    // inside the datagram, at kTransportHeader + 1
    bool newest = false;  // the highest counter so far
  };
  // Opens in place. Checks in the vectors' order; the index has been used to find this session.
  WireCheck open(MutableBytes datagram, Opened& out);

  std::uint64_t sent() const { return next_counter_; }

  // What the other side takes.
  bool heard_takes() const { return heard_takes_; }
  bool peer_takes(std::uint8_t what) const { return (peer_takes_ & what) != 0; }
  void hear_takes(std::uint8_t takes) {
    heard_takes_ = true;
    peer_takes_ = takes;
  }
  Instant ask_takes_at{};  // not before

 private:
  crypto::Aead seal_, open_;
  ShortId me_, peer_;
  std::uint32_t my_index_, peer_index_;
  ByteArray<16> id_;
  bool initiator_, heard_takes_ = false;
  std::uint8_t peer_takes_ = 0;
  Instant born_;
  std::uint64_t next_counter_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t tag_failures_ = 0;
  ReplayWindow window_;
};

}  // namespace wattle::cryptod
