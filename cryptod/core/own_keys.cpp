#include "cryptod/core/own_keys.h"

#include <algorithm>

#include "cryptod/core/handshake_macs.h"

namespace wattle::cryptod {

LocalKey::LocalKey(const PacketKeyBytes& signed_record, const CredentialBytes& own_credential,
                   std::optional<crypto::PrivateKey> private_half)
    : record(signed_record),
      credential(own_credential),
      epoch(read_u64(signed_record, 64)),
      mac1_key(cryptod::mac1_key(signed_record)),
      key(std::move(private_half)) {}

void OwnKeys::install(std::shared_ptr<LocalKey> key, Instant now) {
  if (!keys_.empty() && keys_.front()->erase_at == kNever)
    keys_.front()->erase_at = now + kPrivateHalf;
  keys_.insert(keys_.begin(), std::move(key));
  if (keys_.size() > kKept) keys_.resize(kKept);
}

LocalKey* OwnKeys::find(std::uint64_t epoch) const {
  for (const auto& key : keys_)
    if (key->epoch == epoch) return key.get();
  return remembered_ && remembered_->epoch == epoch ? remembered_.get() : nullptr;
}

void OwnKeys::remember(const PacketKeyBytes& record) {
  remembered_ = std::make_unique<LocalKey>(record, CredentialBytes{}, std::nullopt);
}

void OwnKeys::expire(Instant now) {
  for (const auto& key : keys_)
    if (key->erase_at <= now) {
      key->key.reset();
      key->erase_at = kNever;
    }
}

Instant OwnKeys::next_expiry() const {
  Instant next = kNever;
  for (const auto& key : keys_) next = std::min(next, key->erase_at);
  return next;
}

}  // namespace wattle::cryptod
