// This node's packet keys: the one in use, the previous one whose private half lives ten minutes
// more, and the public records of a few older ones, so that a message 1 for them can be told stale.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/base/time.h"
#include "common/crypto/p256.h"
#include "common/proto/credential.h"
#include "common/proto/packet_key.h"

#include "common/crypto/digest.h"

namespace wattle::cryptod {

// A packet key with its signed record and the credential whose serial the record names.
struct LocalKey {
  PacketKeyBytes record{};
  CredentialBytes credential{};
  std::uint64_t epoch = 0;
  crypto::Hash mac1_key{};
  std::optional<crypto::PrivateKey> key;  // gone ten minutes after its successor came
  std::uint64_t next_counter = 0;         // of message 1, one for all peers
  Instant erase_at = kNever;

  LocalKey(const PacketKeyBytes& signed_record, const CredentialBytes& own_credential,
           std::optional<crypto::PrivateKey> private_half);
};

class OwnKeys {
 public:
  static constexpr Duration kPrivateHalf = std::chrono::minutes(10);
  static constexpr std::size_t kKept = 4;  // records, the one in use included

  // The new key in use. Handshakes under way keep the one they began with.
  void install(std::shared_ptr<LocalKey> key, Instant now);
  LocalKey* current() const { return keys_.empty() ? nullptr : keys_.front().get(); }
  std::shared_ptr<LocalKey> share_current() const { return keys_.front(); }  // there is one
  // By epoch, whether its private half lives or not; null if unknown.
  LocalKey* find(std::uint64_t epoch) const;
  // The public record of before our start, from keyd: never used, only known.
  void remember(const PacketKeyBytes& record);
  const LocalKey* remembered() const { return remembered_.get(); }
  // Erases private halves whose time has come.
  void expire(Instant now);
  Instant next_expiry() const;

 private:
  std::vector<std::shared_ptr<LocalKey>> keys_;  // newest first
  std::unique_ptr<LocalKey> remembered_;
};

}  // namespace wattle::cryptod
