#include "cryptod/core/handshake_gate.h"

#include "common/base/mutant.h"
#include "cryptod/core/handshake_responder.h"

namespace wattle::cryptod {

HandshakeGate::HandshakeGate(Random& random)
    : random_(random),
      key_(random.u64() | 1),
      sources_(kSlots, TokenBucket(kSourceRate, kSourceBurst)),
      members_(kSlots, TokenBucket(kMemberRate, kMemberBurst)) {}

std::size_t HandshakeGate::slot_of(ByteView key) const {
  std::uint64_t hash = key_ ^ key.size();
  for (const std::uint8_t byte : key) {
    hash = (hash ^ byte) * key_;
    hash ^= hash >> 29;
  }
  return hash % kSlots;
}

bool HandshakeGate::may_look(Instant now, bool expected) {
  return WATTLE_CHECKED(handshake_look_rate, share(expected).looks.take(now));
}

TokenBucket& HandshakeGate::source_of(const Place& place) {
  const IpAddress& source = place.source.address;
  return sources_[slot_of(source.view().first(source.is_v4() ? 4 : 8))];
}

void HandshakeGate::asked(Instant now, const Place& place) {
  if (source_of(place).has(now)) asked_.take(now);
}

bool HandshakeGate::is_busy(Instant now) {
  if (asked_.left(now) + kBusy <= kWorkBurst) busy_until_ = now + kStaysBusy;
  return WATTLE_CHECKED(handshake_busy, now < busy_until_);
}

void HandshakeGate::renew_secret(Instant now) {
  if (secret_born_ && now < *secret_born_ + kSecretLife) return;
  // The first one, or not used for so long that the one in use is too old to be the previous one.
  if (!secret_born_ || now >= *secret_born_ + 2 * kSecretLife)
    random_.fill(secret_.mutable_bytes());
  previous_ = std::move(secret_);
  secret_ = Secret<32>();
  random_.fill(secret_.mutable_bytes());
  secret_born_ = now;
}

Mac HandshakeGate::cookie(Instant now, const Place& place) {
  renew_secret(now);
  return cookie_value(secret_.view(), place.source, place.relay, place.sender);
}

bool HandshakeGate::has_cookie(Instant now, const Place& place, ByteView message1) {
  renew_secret(now);
  for (const Secret<32>* secret : {&secret_, &previous_})
    if (has_mac2(message1, cookie_value(secret->view(), place.source, place.relay, place.sender)))
      return true;
  return false;
}

bool HandshakeGate::may_tell_cookie(Instant now, bool expected) {
  return WATTLE_CHECKED(cookie_rate, share(expected).cookies.take(now));
}

HandshakeGate::Verdict HandshakeGate::take(Instant now, const Place& place, bool proven,
                                           bool expected) {
  if (!WATTLE_CHECKED(handshake_source_rate, source_of(place).take(now))) return Verdict::Source;
  if (proven && expected)
    return WATTLE_CHECKED(handshake_expected_rate, expected_work_.take(now)) ? Verdict::Pass
                                                                             : Verdict::All;
  if (proven && !WATTLE_CHECKED(handshake_member_rate, members_[slot_of(place.sender)].take(now)))
    return Verdict::Source;
  return WATTLE_CHECKED(handshake_all_rate, work_.take(now)) ? Verdict::Pass : Verdict::All;
}

}  // namespace wattle::cryptod
