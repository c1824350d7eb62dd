#include "cryptod/core/member_book.h"

#include "common/base/mutant.h"

#include <algorithm>

#include "common/base/mutant.h"

namespace wattle::cryptod {

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
  ctx_.deadlines.set(peer.slot, kNever);
}

void MemberBook::sweep() {
  const std::uint64_t now = ctx_.moment.unix_now.seconds;
  for (const auto& peer : ctx_.peers) {
    if (!peer->member) continue;
    const Credential& credential = peer->member->credential;
    if (WATTLE_CHECKED(member_revoked, ctx_.self.trust.revoked.contains(credential.serial))) {
      if (peer->current || peer->previous || peer->next) ctx_.count(Counter::SessionsRevoked);
      cut(*peer);
    } else if (!WATTLE_CHECKED(credential_key_in_force,
                               ctx_.self.trust.has_key(credential.signed_by))) {
      if (peer->current || peer->previous || peer->next) ctx_.count(Counter::SessionsRetired);
      cut(*peer);
    } else if (WATTLE_CHECKED(member_expired, now >= credential.not_after.seconds + kClockSkew)) {
      if (peer->current || peer->previous || peer->next) ctx_.count(Counter::SessionsExpired);
      cut(*peer);
    }
  }
}

void MemberBook::reclaim() {
  std::vector<bool> routed(ctx_.peers.size());
  for (const auto& [id, row] : ctx_.table)
    for (const std::uint32_t slot : {row.next, row.alternate})
      if (slot != kNoSlot) routed[slot] = true;
  ctx_.peers.reclaim([&](const Peer& peer) { return routed[peer.slot]; });
}

}  // namespace wattle::cryptod
