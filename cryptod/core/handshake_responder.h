// The responder's half of PK-IK, in the order of the vectors' decision 14: knock (cheap), read (two
// DH), judge (records), and only then answer. Nothing is kept until all have passed.
#pragma once

#include "common/proto/acceptance.h"
#include "cryptod/core/handshake_macs.h"
#include "cryptod/core/noise_state.h"
#include "cryptod/core/own_keys.h"
#include "cryptod/core/session_keys.h"

namespace wattle::cryptod {

// Order of the first messages of one initiator: epoch of its record, then the counter within it.
struct HandshakeMark {
  std::uint64_t epoch = 0, counter = 0;
  auto operator<=>(const HandshakeMark&) const = default;
};

// What costs next to nothing: header and epoch. Accept sets `key`, whose private half may be gone
// (then Stale is the caller's answer, once mac1 and, where it is demanded, mac2 are right).
WireCheck check_message1(ByteView datagram, const ShortId& me, const OwnKeys& keys, LocalKey*& key);
// Of a message 1 that passed check_message1.
bool has_mac1(ByteView datagram, const LocalKey& key);
bool has_mac2(ByteView datagram, const Mac& cookie);

class Responder {
 public:
  // Opens a message 1 that passed check_message1 with `own`. Point, TagC1, TagC2, KeyMismatch,
  // Self, Sender or Accept, which fills the fields below.
  WireCheck read(const NetworkId& network, const NodeAddress& me, const LocalKey& own,
                 ByteView datagram);

  const NodeAddress& initiator() const { return initiator_; }
  ByteView record() const { return record_; }
  ByteView credential() const { return credential_; }
  HandshakeMark mark() const { return mark_; }

  // Replay against the newest mark of that address, then the acceptance list.
  struct Judgement {
    WireCheck wire = WireCheck::Accept;  // Accept or Replay
    Check record = Check::Accept;
    bool accepted() const { return wire == WireCheck::Accept && record == Check::Accept; }
  };
  Judgement judge(const Trust& trust, UnixTime now, const std::optional<HandshakeMark>& newest,
                  const SeenRecord* seen, Accepted& out) const;

  // Writes message 2 (kMessage2Size bytes) and makes the session. Point: cannot happen after
  // read().
  WireCheck answer(const crypto::PrivateKey& ephemeral, std::uint32_t index, MutableBytes message2,
                   SessionKeys& out) const;

 private:
  NoiseState noise_;
  NodeAddress initiator_;
  PacketKeyBytes record_{};
  CredentialBytes credential_{};
  crypto::PublicKey ephemeral_{}, static_{};
  ShortId me_{}, peer_{};
  std::uint32_t peer_index_ = 0;
  HandshakeMark mark_;
};

}  // namespace wattle::cryptod
