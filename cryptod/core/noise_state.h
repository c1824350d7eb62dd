// The symmetric state of PK-IK: Noise revision 34 section 5.2 with SHA-256 and AES-256-GCM, name
// "Noise_IKpsk2_P256_AESGCM_SHA256" padded to 32 bytes (security.md 2.5.3). Every key is used once,
// at nonce 0, because a MixKey stands between any two sealed fields.
#pragma once

#include "common/base/secret.h"
#include "common/crypto/digest.h"
#include "common/proto/packet_key.h"

namespace wattle::cryptod {

class NoiseState {
 public:
  NoiseState();

  // The state after prologue and pre-message: `responder` and its packet-key record (200 bytes).
  static NoiseState start(const NetworkId& network, const NodeAddress& responder, ByteView record);

  void mix_hash(ByteView data);
  void mix_key(ByteView input);
  void mix_key_and_hash(ByteView input);
  // EncryptAndHash, DecryptAndHash: `sealed` is text and 16-byte tag. False: nothing has changed.
  void encrypt(ByteView plain, MutableBytes sealed);
  [[nodiscard]] bool decrypt(ByteView sealed, MutableBytes plain);

  struct Keys {
    Secret<32> initiator_to_responder, responder_to_initiator;
  };
  Keys split() const;

  NoiseState clone() const;

  const crypto::Hash& hash() const { return hash_; }
  ByteView chaining_key() const { return chaining_key_.view(); }  // secret, like key()
  ByteView key() const { return key_.view(); }

 private:
  crypto::Hash hash_{};
  Secret<32> chaining_key_;
  Secret<32> key_;
};

}  // namespace wattle::cryptod
