#include "cryptod/core/member_book.h"

#include <algorithm>

#include "common/base/mutant.h"

namespace wattle::cryptod {

namespace {

// The wall clock as the heap counts it.
Instant wall(UnixTime time) {
  constexpr std::uint64_t kMost = std::uint64_t{1} << 33;  // what nanoseconds can hold
  return Instant(std::chrono::seconds(std::min(time.seconds, kMost)));
}

Instant end_of(const Credential& credential) {
  return wall(credential.not_after) + std::chrono::seconds(kClockSkew);
}

}  // namespace

Check MemberBook::verify(Peer& peer, ByteView record, ByteView credential) {
  Accepted accepted;
  const Check check =
      accept_record(ctx_.self.trust, record, credential, peer.address, ctx_.moment.unix_now,
                    peer.seen ? &*peer.seen : nullptr, accepted);
  if (check != Check::Accept) {
    refused(check, record, peer.seen ? &*peer.seen : nullptr, false);
    return check;
  }
  return install(peer, accepted, record, credential) ? Check::Accept : Check::Owner;
}

void MemberBook::refused(Check check, ByteView record, const SeenRecord* seen, bool message1) {
  ctx_.counters.add_record(check, message1);
  if (check != Check::PkrEpoch || seen == nullptr) return;
  const auto refused = decode_packet_key(record);
  if (refused && refused->epoch == seen->epoch) ctx_.count(Counter::DropEqualEpoch);
}

bool MemberBook::install(Peer& peer, const Accepted& accepted, ByteView record,
                         ByteView credential) {
  const auto owner = ctx_.owners.find(accepted.credential.mac);
  const bool own = ctx_.self.credential && ctx_.self.credential->mac == accepted.credential.mac;
  if (WATTLE_CHECKED(member_mac_clash, own || (owner && *owner != peer.slot))) {
    ctx_.count(Counter::MemberClash);
    return false;
  }
  if (peer.member) ctx_.owners.remove(peer.slot, peer.member->credential);
  ctx_.owners.add(peer.slot, accepted.credential);
  auto member = std::make_unique<VerifiedMember>();
  member->record = to_array<kPacketKeySize>(record);
  member->credential_bytes = to_array<kCredentialSize>(credential);
  member->key = accepted.record;
  member->credential = accepted.credential;
  peer.member = std::move(member);
  ends_.set(peer.slot, end_of(accepted.credential));
  peer.seen = SeenRecord{to_array<kPacketKeyBody>(record), accepted.record.epoch,
                         accepted.credential.serial};
  peer.stale = false;
  peer.want_at = kNever;
  peer.want_pause = {};
  ctx_.count(Counter::MembersAccepted);
  neighbours_.verified(accepted.credential);
  return true;
}

bool MemberBook::usable(const Peer& peer) const {
  if (!peer.member) return false;
  const std::uint64_t now = ctx_.moment.unix_now.seconds;
  return now < peer.member->key.not_after.seconds &&
         now < peer.member->credential.not_after.seconds;
}

void MemberBook::ask(Peer& peer, std::uint64_t epoch) {
  if (!ctx_.meta_up || (peer.want_at != kNever && ctx_.now() < peer.want_at)) return;
  if (!WATTLE_CHECKED(wants_rate, asks_.take(ctx_.now()))) {
    ctx_.count(Counter::WantsFull);
    return;
  }
  peer.want_pause = std::clamp(peer.want_pause * 2, kAskFirst, kAskMost);
  peer.want_at = ctx_.now() + peer.want_pause;
  if (!peer.queue.empty()) ctx_.deadlines.lower(peer.slot, peer.want_at);
  ctx_.tell_metad(meta_link::WantKey{peer.address.bytes, epoch});
}

void MemberBook::ask_now(Peer& peer, std::uint64_t epoch) {
  peer.want_at = kNever;
  ask(peer, epoch);
}

void MemberBook::cut(Peer& peer) {
  sessions_.drop_all(peer);
  ctx_.owners.remove(peer.slot, peer.member->credential);
  peer.member.reset();
  peer.unverified.reset();
  ends_.set(peer.slot, kNever);
  ctx_.deadlines.set(peer.slot, kNever);
}

void MemberBook::judge(Peer& peer) {
  const Credential& credential = peer.member->credential;
  Counter why;
  if (WATTLE_CHECKED(member_revoked, ctx_.self.trust.revoked.contains(credential.serial)))
    why = Counter::SessionsRevoked;
  else if (!WATTLE_CHECKED(credential_key_in_force, ctx_.self.trust.has_key(credential.signed_by)))
    why = Counter::SessionsRetired;
  else if (WATTLE_CHECKED(member_expired, wall(ctx_.moment.unix_now) >= end_of(credential)))
    why = Counter::SessionsExpired;
  else
    return;
  if (peer.current || peer.previous || peer.next) ctx_.count(why);
  cut(peer);
}

void MemberBook::sweep() {
  for (const auto& peer : ctx_.peers.walk())
    if (peer->member) judge(*peer);
}

void MemberBook::expire() {
  while (ends_.first() <= wall(ctx_.moment.unix_now)) {
    Peer& peer = ctx_.peers.at(ends_.first_slot());
    ends_.set(peer.slot, kNever);
    judge(peer);
  }
}

void MemberBook::make_room() {
  if (ctx_.now() < reclaim_at_ || !ctx_.peers.wants_room()) return;
  reclaim_at_ = ctx_.now() + kReclaimPause;
  reclaim();
}

void MemberBook::reclaim() {
  std::vector<bool> routed(ctx_.peers.size());
  for (const auto& [id, row] : ctx_.table)
    for (const std::uint32_t slot : {row.next, row.alternate})
      if (slot != kNoSlot) routed[slot] = true;
  ctx_.peers.reclaim([&](const Peer& peer) { return routed[peer.slot]; });
}

Instant MemberBook::next() const {
  const Instant room = ctx_.peers.wants_room() ? reclaim_at_ : kNever;
  if (ends_.empty()) return room;
  const Duration left = ends_.first() - wall(ctx_.moment.unix_now);
  return std::min(room, ctx_.now() + std::clamp<Duration>(left, Duration{}, kLookAgain));
}

}  // namespace wattle::cryptod
