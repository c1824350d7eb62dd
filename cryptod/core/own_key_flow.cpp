#include "cryptod/core/own_key_flow.h"

#include "common/base/mutant.h"

#include <algorithm>

namespace wattle::cryptod {

namespace {

constexpr Duration kLookAgain = std::chrono::minutes(10);  // clocks get set

}  // namespace

void OwnKeyFlow::identity(const key_link::Identity& identity) {
  const NodeAddress address{identity.address};
  if (WATTLE_CHECKED(keyd_network, identity.network != ctx_.config.network))
    return refuse(key_link::Identity::kName, "network_id");
  if (WATTLE_CHECKED(keyd_address, ctx_.self.address && *ctx_.self.address != address))
    return refuse(key_link::Identity::kName, "owner");
  ctx_.self.address = address;
  ctx_.self.id = address.short_id();
  key_up_ = true;
  if (try_credential()) return;
  // What was asked of a keyd that is gone is asked again.
  if (made_ || ctx_.self.keys.current() == nullptr || ask_at_ <= ctx_.now()) ask();
}

void OwnKeyFlow::credential(const CredentialBytes& offered) {
  ctx_.self.offered = offered;
  if (tries_.take(ctx_.now()))
    try_credential();
  else
    credential_at_ = tries_.ready_at(ctx_.now());
}

void OwnKeyFlow::refuse(std::string_view message, std::string_view rule) {
  ctx_.refuse(Counter::OwnRecordsRefused, "key", message, rule);
}

bool OwnKeyFlow::try_credential() {
  Self& self = ctx_.self;
  if (!self.address || !self.offered) return false;
  Credential accepted;
  const Check check = accept_credential(self.trust, *self.offered, *self.address,
                                        ctx_.moment.unix_now, self.highest_serial, accepted);
  if (WATTLE_CHECKED(own_credential, check != Check::Accept)) {
    ctx_.refuse(Counter::CredentialsRefused, "meta", meta_link::OwnCredential::kName,
                check_name(check));
    credential_at_ = ctx_.now() + kCredentialAgain;
    return false;
  }
  credential_at_ = kNever;
  const bool renewed = !self.credential || self.credential->serial != accepted.serial;
  self.credential = accepted;
  self.highest_serial = accepted.serial;
  over_at_ = ctx_.now();
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
  ctx_.out->to_keyd.push_back(key_link::SignPacketKey{made_->public_key(), from,
                                                      UnixTime{from.seconds + kPacketKeyLife},
                                                      ctx_.self.credential->serial});
}

void OwnKeyFlow::refused(const key_link::PacketKeyRefused& message) {
  ctx_.count(Counter::OwnRecordsRefused);
  ask_at_ = ctx_.now() +
            std::chrono::milliseconds(std::clamp(message.retry_ms, kLeastRetryMs, kMostRetryMs));
}

void OwnKeyFlow::last_record(const key_link::LastRecord& message) {
  const auto record = decode_packet_key(message.record);
  if (!record || WATTLE_CHECKED(last_record_network, record->network != ctx_.config.network) ||
      WATTLE_CHECKED(last_record_owner, record->owner != ctx_.self.address))
    return refuse(key_link::LastRecord::kName, "owner");
  if (ctx_.self.keys.find(record->epoch) == nullptr) ctx_.self.keys.remember(message.record);
}

void OwnKeyFlow::document_version(const key_link::DocumentVersion& message) {
  Self& self = ctx_.self;
  self.least_document = std::max(self.least_document, message.version);
  if (self.document_version > message.version) return document_verified();
  if (self.document_version == 0 || self.document_version == message.version) return;
  // metad was faster than keyd and offered an old one. What it revokes stays revoked.
  self.document_version = 0;
  ctx_.count(Counter::DocumentsRefused);
}

void OwnKeyFlow::document_verified() {
  if (key_up_ && ctx_.self.document_version != 0)
    ctx_.out->to_keyd.push_back(key_link::DocumentSeen{ctx_.self.document_version});
}

void OwnKeyFlow::signed_record(const key_link::PacketKey& message) {
  if (!made_ || !ctx_.self.credential) return refuse(key_link::PacketKey::kName, "not_asked");
  const LocalKey* const last =
      ctx_.self.keys.current() != nullptr ? ctx_.self.keys.current() : ctx_.self.keys.remembered();
  std::optional<SeenRecord> seen;
  if (last != nullptr)
    seen = SeenRecord{to_array<kPacketKeyBody>(last->record), last->epoch,
                      read_u64(last->record, 128)};
  Accepted accepted;
  const Check check =
      accept_record(ctx_.self.trust, message.record, ctx_.self.credential_bytes, *ctx_.self.address,
                    ctx_.moment.unix_now, seen ? &*seen : nullptr, accepted);
  if (check != Check::Accept) return refuse(key_link::PacketKey::kName, check_name(check));
  if (WATTLE_CHECKED(own_record, accepted.record.key != made_->public_key()))
    return refuse(key_link::PacketKey::kName, "another_key");
  ctx_.self.keys.install(
      std::make_shared<LocalKey>(message.record, ctx_.self.credential_bytes, std::move(made_)),
      ctx_.now());
  made_.reset();
  ask_at_ = ctx_.now() + kRotate - kRotateJitter + ctx_.jitter(2 * kRotateJitter);
  ctx_.tell_metad(meta_link::OwnRecord{message.record});
  pushes_left_ = kPushes;
  signed_at_ = ctx_.now();
  push_record();
}

// Live sessions learn it first, so that nobody needs to handshake anew for a rotation.
void OwnKeyFlow::push_record() {
  --pushes_left_;
  push_at_ =
      pushes_left_ == 0 ? kNever : ctx_.now() + kPushAgain * (1 << (kPushes - 1 - pushes_left_));
  slice_left_ = ctx_.peers.live().size();
  push_slice();
}

// From the last one down: if sessions come and go meanwhile, one is told twice, but none is left
// out that was there when this push began.
void OwnKeyFlow::push_slice() {
  const LocalKey& key = *ctx_.self.keys.current();
  ByteArray<kPacketKeySize + kCredentialSize> body{};
  std::copy(key.record.begin(), key.record.end(), body.begin());
  std::copy(key.credential.begin(), key.credential.end(), body.begin() + kPacketKeySize);
  const auto& live = ctx_.peers.live();
  slice_left_ = std::min(slice_left_, live.size());
  for (std::size_t i = 0; i < kPushSlice && slice_left_ > 0; ++i) {
    Peer& peer = ctx_.peers.at(live[--slice_left_]);
    if (peer.current->born() <= signed_at_) sessions_.send(peer, InnerType::Records, body);
  }
  slice_at_ = slice_left_ == 0 ? kNever : ctx_.now() + kPushPause;
}

// Without a successor it ends our sessions, as it does at the other end.
void OwnKeyFlow::end_credential() {
  over_at_ = kNever;
  if (!ctx_.self.credential) return;
  const std::uint64_t end = ctx_.self.credential->not_after.seconds + kClockSkew;
  const std::uint64_t now = ctx_.moment.unix_now.seconds;
  if (now < end) {
    over_at_ = ctx_.now() + std::min<Duration>(std::chrono::seconds(end - now), kLookAgain);
    return;
  }
  for (const auto& peer : ctx_.peers.walk()) {
    if (peer->current || peer->previous || peer->next) ctx_.count(Counter::SessionsExpired);
    sessions_.drop_all(*peer);
  }
  ctx_.self.credential.reset();
}

void OwnKeyFlow::due() {
  ctx_.self.keys.expire(ctx_.now());
  if (credential_at_ <= ctx_.now()) try_credential();
  if (over_at_ <= ctx_.now()) end_credential();
  if (push_at_ <= ctx_.now()) push_record();
  if (slice_at_ <= ctx_.now()) push_slice();
  if (ask_at_ <= ctx_.now()) ask();
}

Instant OwnKeyFlow::next() const {
  return std::min({ctx_.self.keys.next_expiry(), credential_at_, over_at_, push_at_, slice_at_,
                   key_up_ ? ask_at_ : kNever});
}

}  // namespace wattle::cryptod
