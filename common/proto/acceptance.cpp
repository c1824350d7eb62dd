#include "common/proto/acceptance.h"

#include <algorithm>

#include "common/base/mutant.h"
#include "common/proto/labels.h"

namespace wattle {
namespace {

using crypto::Verdict;

// now inside [from - skew, until + skew), computed without wrapping.
bool is_in_time(UnixTime from, UnixTime until, UnixTime now) {
  const bool begun =
      WATTLE_CHECKED(time_begun, from <= now || from.seconds - now.seconds <= kClockSkew);
  const bool over =
      WATTLE_CHECKED(time_over, now >= until && now.seconds - until.seconds >= kClockSkew);
  return begun && !over;
}

bool is_valid_address(const NodeAddress& address) {
  NodeAddress same;
  return parse_address(ByteView(address.bytes), same) == AddressFault::None;
}

Check signature_check(Verdict verdict, Check low_s, Check wrong) {
  switch (verdict) {
    case Verdict::Good:
      return Check::Accept;
    case Verdict::HighS:
      return low_s;
    case Verdict::BadPoint:
      return Check::Address;
    case Verdict::OutOfRange:
    case Verdict::Wrong:
      return wrong;
  }
  WATTLE_UNREACHABLE();
}

// Tried with each credential key in force; the one that fits is noted.
Check check_signature(const Trust& trust, ByteView cred, Credential& c) {
  Verdict verdict = Verdict::Wrong;
  for (const crypto::PublicKey& key : trust.credential_keys) {
    verdict = crypto::verify(key, {as_bytes(kLabelCredential), cred.first(kCredentialBody)},
                             cred.subspan(kCredentialBody));
    if (verdict != Verdict::Good) continue;
    c.signed_by = key;
    break;
  }
  return signature_check(verdict, Check::CredLowS, Check::CredSignature);
}

// Address, time, signature, revocation: what a credential must show whoever asks.
Check check_credential(const Trust& trust, ByteView cred, Credential& c, const NodeAddress& asked,
                       UnixTime now) {
  if (!WATTLE_CHECKED(accept_address, is_valid_address(asked))) return Check::Address;
  if (!WATTLE_CHECKED(credential_time, is_in_time(c.not_before, c.not_after, now)))
    return Check::CredTime;
  const Check signature = check_signature(trust, cred, c);
  if (WATTLE_CHECKED(credential_signature, signature != Check::Accept)) return signature;
  if (WATTLE_CHECKED(credential_revoked, trust.revoked.contains(c.serial))) return Check::Revoked;
  return Check::Accept;
}

Check check_packet_key(ByteView pkr, const PacketKeyRecord& record, const NodeAddress& asked,
                       UnixTime now, const SeenRecord* seen) {
  if (!WATTLE_CHECKED(record_time, is_in_time(record.not_before, record.not_after, now)))
    return Check::PkrTime;
  if (WATTLE_CHECKED(record_life,
                     record.not_before >= record.not_after ||
                         record.not_after.seconds - record.not_before.seconds > kPacketKeyLife))
    return Check::PkrLife;
  const ByteView body = pkr.first(kPacketKeyBody);
  if (seen != nullptr && WATTLE_CHECKED(record_epoch, record.epoch <= seen->epoch) &&
      WATTLE_CHECKED(record_equivocation, !equal(body, seen->body)))
    return Check::PkrEpoch;
  if (!WATTLE_CHECKED(record_point, crypto::is_point(record.key))) return Check::PkrPoint;
  return signature_check(crypto::verify(asked.public_key(), {as_bytes(kLabelPacketKey), body},
                                        pkr.subspan(kPacketKeyBody)),
                         Check::PkrLowS, Check::PkrSignature);
}

}  // namespace

bool Trust::has_key(const crypto::PublicKey& key) const {
  return std::find(credential_keys.begin(), credential_keys.end(), key) != credential_keys.end();
}

std::string_view check_name(Check check) {
  switch (check) {
    case Check::Accept:
      return "accept";
    case Check::Length:
      return "length";
    case Check::Constants:
      return "constants";
    case Check::Network:
      return "network_id";
    case Check::Owner:
      return "owner";
    case Check::Address:
      return "address";
    case Check::CredTime:
      return "cred_time";
    case Check::CredLowS:
      return "cred_low_s";
    case Check::CredSignature:
      return "cred_signature";
    case Check::Revoked:
      return "revoked";
    case Check::Serial:
      return "serial";
    case Check::SerialOld:
      return "serial_old";
    case Check::PkrTime:
      return "pkr_time";
    case Check::PkrLife:
      return "pkr_life";
    case Check::PkrEpoch:
      return "pkr_epoch";
    case Check::PkrPoint:
      return "pkr_point";
    case Check::PkrLowS:
      return "pkr_low_s";
    case Check::PkrSignature:
      return "pkr_signature";
  }
  WATTLE_UNREACHABLE();
}

Check accept_credential(const Trust& trust, ByteView cred, const NodeAddress& asked, UnixTime now,
                        std::uint64_t lowest_serial, Credential& out) {
  if (cred.size() != kCredentialSize) return Check::Length;
  auto credential = decode_credential(cred);
  if (!credential) return Check::Constants;
  if (WATTLE_CHECKED(credential_network, credential->network != trust.network))
    return Check::Network;
  if (WATTLE_CHECKED(credential_owner, credential->address != asked)) return Check::Owner;
  const Check check = check_credential(trust, cred, *credential, asked, now);
  if (check != Check::Accept) return check;
  if (WATTLE_CHECKED(credential_serial_old, credential->serial < lowest_serial))
    return Check::SerialOld;
  out = *credential;
  return Check::Accept;
}

Check accept_record(const Trust& trust, ByteView pkr, ByteView cred, const NodeAddress& asked,
                    UnixTime now, const SeenRecord* seen, Accepted& out) {
  if (pkr.size() != kPacketKeySize || cred.size() != kCredentialSize) return Check::Length;
  const auto record = decode_packet_key(pkr);
  auto credential = decode_credential(cred);
  if (!record || !credential) return Check::Constants;
  if (WATTLE_CHECKED(record_network, record->network != trust.network) ||
      WATTLE_CHECKED(record_credential_network, credential->network != trust.network))
    return Check::Network;
  if (WATTLE_CHECKED(record_owner, record->owner != asked) ||
      WATTLE_CHECKED(record_credential_owner, credential->address != asked))
    return Check::Owner;
  Check check = check_credential(trust, cred, *credential, asked, now);
  if (check != Check::Accept) return check;
  if (WATTLE_CHECKED(record_serial, record->serial != credential->serial)) return Check::Serial;
  if (seen != nullptr && WATTLE_CHECKED(record_serial_old, credential->serial < seen->serial))
    return Check::SerialOld;
  check = check_packet_key(pkr, *record, asked, now, seen);
  if (WATTLE_CHECKED(record_signature, check != Check::Accept)) return check;
  out = {*record, *credential};
  return Check::Accept;
}

}  // namespace wattle
