// The initiator's half of PK-IK: one object is one message 1 (a retry is a new object with a new
// ephemeral and counter). Pure: ephemeral, index and counter are parameters.
#pragma once

#include <memory>

#include "cryptod/core/noise_state.h"
#include "cryptod/core/own_keys.h"
#include "cryptod/core/session_keys.h"
#include "cryptod/core/wire_header.h"

namespace wattle::cryptod {

class Initiator {
 public:
  // `own` has its private half; `record` is the peer's verified packet-key record (200 bytes).
  // BadPoint if its key is no point (a verified one is).
  static Result<Initiator> make(const NetworkId& network, std::shared_ptr<const LocalKey> own,
                                const NodeAddress& peer, ByteView record,
                                crypto::PrivateKey ephemeral, std::uint32_t index,
                                std::uint64_t counter);

  ByteView message1() const { return message1_; }
  std::uint32_t index() const { return index_; }
  std::uint64_t epoch() const { return read_u64(record_, 64); }  // of the peer's record used

  // Whatever the verdict, this object stays usable: a forgery spoils nothing.
  WireCheck message2(ByteView datagram, SessionKeys& out) const;
  // A cookie: message1() then carries mac2 and may be sent once more.
  WireCheck cookie(ByteView datagram);
  // A stale message: the epoch that the peer says is its newest (a hint).
  WireCheck stale(ByteView datagram, std::uint64_t& epoch) const;

 private:
  Initiator(std::shared_ptr<const LocalKey> own, crypto::PrivateKey ephemeral);
  std::shared_ptr<const LocalKey> own_;
  crypto::PrivateKey ephemeral_;
  PacketKeyBytes record_{};
  ShortId me_{}, peer_{};
  std::uint32_t index_ = 0;
  NoiseState noise_;
  ByteArray<kMessage1Size> message1_{};
};

}  // namespace wattle::cryptod
