#include "cryptod/core/own_key_flow.h"

#include <algorithm>

namespace wattle::cryptod {

void OwnKeyFlow::identity(const key_link::Identity& identity) {
  const NodeAddress address{identity.address};
  if (identity.network != ctx_.config.network ||
      (ctx_.self.address && *ctx_.self.address != address))
    return ctx_.count(Counter::OwnRecordsRefused);
  ctx_.self.address = address;
  ctx_.self.id = address.short_id();
  key_up_ = true;
  if (try_credential()) return;
  // What was asked of a keyd that is gone is asked again.
  if (made_ || ctx_.self.keys.current() == nullptr || ask_at_ <= ctx_.now()) ask();
}

void OwnKeyFlow::credential(const CredentialBytes& offered) {
  ctx_.self.offered = offered;
  try_credential();
}

bool OwnKeyFlow::try_credential() {
  Self& self = ctx_.self;
  if (!self.address || !self.offered) return false;
  Credential accepted;
  const std::uint64_t lowest = self.credential ? self.credential->serial : 0;
  const Check check = accept_credential(self.trust, *self.offered, *self.address,
                                        ctx_.moment.unix_now, lowest, accepted);
  if (check != Check::Accept) {
    ctx_.count(Counter::CredentialsRefused);
    credential_at_ = ctx_.now() + kCredentialAgain;
    return false;
  }
  credential_at_ = kNever;
  const bool renewed = !self.credential || self.credential->serial != accepted.serial;
  self.credential = accepted;
  self.credential_bytes = *self.offered;
  self.offered.reset();
  if (renewed) ask();
  return renewed;
}

void OwnKeyFlow::ask() {
  ask_at_ = ctx_.now() + kAskAgain;
  if (!key_up_ || !ctx_.self.credential) return;
  if (!made_) made_ = ctx_.new_key();
  const UnixTime from = ctx_.moment.unix_now;
  ctx_.out->to_keyd.push_back({made_->public_key(), from, UnixTime{from.seconds + kPacketKeyLife},
                               ctx_.self.credential->serial});
}

void OwnKeyFlow::refused(const key_link::PacketKeyRefused& message) {
  ctx_.count(Counter::OwnRecordsRefused);
  ask_at_ = ctx_.now() +
            std::chrono::milliseconds(std::clamp(message.retry_ms, kLeastRetryMs, kMostRetryMs));
}

void OwnKeyFlow::signed_record(const key_link::PacketKey& message) {
  if (!made_ || !ctx_.self.credential) return ctx_.count(Counter::OwnRecordsRefused);
  const LocalKey* const last = ctx_.self.keys.current();
  std::optional<SeenRecord> seen;
  if (last != nullptr)
    seen = SeenRecord{to_array<kPacketKeyBody>(last->record), last->epoch,
                      read_u64(last->record, 128)};
  Accepted accepted;
  const Check check =
      accept_record(ctx_.self.trust, message.record, ctx_.self.credential_bytes, *ctx_.self.address,
                    ctx_.moment.unix_now, seen ? &*seen : nullptr, accepted);
  if (check != Check::Accept || accepted.record.key != made_->public_key())
    return ctx_.count(Counter::OwnRecordsRefused);
  ctx_.self.keys.install(
      std::make_shared<LocalKey>(message.record, ctx_.self.credential_bytes, std::move(made_)),
      ctx_.now());
  made_.reset();
  ask_at_ = ctx_.now() + kRotate - kRotateJitter + ctx_.jitter(2 * kRotateJitter);
  ctx_.tell_metad(meta_link::OwnRecord{message.record});
  if (last != nullptr) push_record();
}

// Live sessions learn it first, so that nobody needs to handshake anew for a rotation.
void OwnKeyFlow::push_record() {
  const LocalKey& key = *ctx_.self.keys.current();
  ByteArray<kPacketKeySize + kCredentialSize> body{};
  std::copy(key.record.begin(), key.record.end(), body.begin());
  std::copy(key.credential.begin(), key.credential.end(), body.begin() + kPacketKeySize);
  for (const auto& peer : ctx_.peers) sessions_.send(*peer, InnerType::Records, body);
}

void OwnKeyFlow::due() {
  ctx_.self.keys.expire(ctx_.now());
  if (credential_at_ <= ctx_.now()) try_credential();
  if (ask_at_ <= ctx_.now()) ask();
}

Instant OwnKeyFlow::next() const {
  return std::min({ctx_.self.keys.next_expiry(), credential_at_, key_up_ ? ask_at_ : kNever});
}

}  // namespace wattle::cryptod
