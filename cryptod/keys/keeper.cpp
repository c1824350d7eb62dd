#include "cryptod/keys/keeper.h"

#include <algorithm>

#include "common/base/mutant.h"
#include "common/base/parse.h"
#include "common/proto/enrolment.h"
#include "common/proto/origin_record.h"

namespace wattle::keys {

namespace {

using key_link::Refusal;

constexpr std::uint32_t kStorageRetryMs = 5000;
constexpr std::uint8_t kOriginRequest = 0;
constexpr std::uint8_t kEnrolmentRequest = 1;

std::uint32_t as_retry(std::uint64_t ms) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(ms, UINT32_MAX));
}

bool time_is_right(const key_link::SignPacketKey& request, std::uint64_t unix_ms) {
  const std::uint64_t now = unix_ms / 1000;
  const std::uint64_t begin = request.not_before.seconds;
  const std::uint64_t end = request.not_after.seconds;
  const std::uint64_t off = begin > now ? begin - now : now - begin;
  return WATTLE_CHECKED(keyd_begin, off <= kClockSkew) &&
         WATTLE_CHECKED(keyd_life, end > begin && end - begin <= kPacketKeyLife);
}

bool can_be_dialled(const Endpoint& e) {
  return WATTLE_CHECKED(keyd_endpoint,
                        e.port != 0 && !e.address.is_unspecified() && !e.address.is_multicast());
}

// max(stored + 1, clock); 0 if there is no number left.
std::uint64_t next_number(std::uint64_t stored, std::uint64_t unix_ms) {
  return stored == UINT64_MAX ? 0 : std::max(stored + 1, unix_ms);
}

}  // namespace

Keeper::Keeper(const crypto::PrivateKey& identity, const NetworkId& network, const Counters& stored,
               CounterStore& store)
    : identity_(identity),
      network_(network),
      address_(NodeAddress::from_key(identity.public_key())),
      counters_(stored),
      store_(store) {}

key_link::Identity Keeper::identity() const { return {network_, address_.bytes}; }

std::optional<key_link::LastRecord> Keeper::last_record() const {
  if (!counters_.has_record) return std::nullopt;
  return key_link::LastRecord{counters_.last_record};
}

bool Keeper::saw(const key_link::DocumentSeen& document) {
  if (WATTLE_CHECKED(keyd_document, document.version <= counters_.document)) return true;
  Counters next = counters_;
  next.document = document.version;
  return keep(next);
}

bool Keeper::keep(Counters next) {
  ++next.generation;
  if (!store_.store(next)) return false;
  counters_ = next;
  return true;
}

Keeper::PacketKeyAnswer Keeper::sign(const key_link::SignPacketKey& request,
                                     std::uint64_t unix_ms) {
  using No = key_link::PacketKeyRefused;
  if (!WATTLE_CHECKED(keyd_point, crypto::is_point(request.key))) return No{Refusal::BadField, 0};
  if (!time_is_right(request, unix_ms)) return No{Refusal::BadTime, 0};
  Counters next = counters_;
  if (const std::uint64_t wait = take(next.record, kRecordRate, unix_ms);
      WATTLE_CHECKED(keyd_record_rate, wait != 0))
    return No{Refusal::TooFast, as_retry(wait)};
  next.epoch = next_number(counters_.epoch, unix_ms);
  if (WATTLE_CHECKED(keyd_epoch_end, next.epoch == 0)) return No{Refusal::Storage, kStorageRetryMs};

  PacketKeyRecord record;
  record.network = network_;
  record.owner = address_;
  record.epoch = next.epoch;
  record.not_before = request.not_before;
  record.not_after = request.not_after;
  record.key = request.key;
  record.serial = request.serial;
  next.last_record = build_packet_key(record, identity_);
  next.has_record = true;
  if (!keep(next)) return No{Refusal::Storage, kStorageRetryMs};
  return key_link::PacketKey{next.last_record};
}

Keeper::OriginAnswer Keeper::sign(const key_link::SignOrigin& request, std::uint64_t unix_ms) {
  const auto no = [](Refusal why, std::uint64_t retry_ms) {
    return key_link::Refused{kOriginRequest, why, as_retry(retry_ms)};
  };
  if (!is_node_name(request.name) || request.endpoints.size() > kMaxEndpoints ||
      !std::all_of(request.endpoints.begin(), request.endpoints.end(), can_be_dialled))
    return no(Refusal::BadField, 0);
  Counters next = counters_;
  if (const std::uint64_t wait = take(next.origin, kOriginRate, unix_ms);
      WATTLE_CHECKED(keyd_origin_rate, wait != 0))
    return no(Refusal::TooFast, wait);
  next.seqno = next_number(counters_.seqno, unix_ms);
  if (next.seqno == 0 || !keep(next)) return no(Refusal::Storage, kStorageRetryMs);

  OriginRecord record;
  record.network = network_;
  record.address = address_;
  record.seqno = next.seqno;
  record.options = request.options;
  record.serial = request.serial;
  record.name = request.name;
  record.endpoints = request.endpoints;
  return key_link::Origin{build_origin_body(record), sign_origin(record, identity_)};
}

Keeper::EnrolmentAnswer Keeper::sign(const key_link::SignEnrolment& request,
                                     std::uint64_t unix_ms) {
  Counters next = counters_;
  if (const std::uint64_t wait = take(next.enrolment, kEnrolmentRate, unix_ms);
      WATTLE_CHECKED(keyd_enrolment_rate, wait != 0))
    return key_link::Refused{kEnrolmentRequest, Refusal::TooFast, as_retry(wait)};
  if (!keep(next)) return key_link::Refused{kEnrolmentRequest, Refusal::Storage, kStorageRetryMs};
  EnrolmentClaim claim;  // its token id stays zero: keyd signs renewals only
  claim.network = network_;
  claim.address = address_;
  claim.csr_hash = request.csr_hash;
  claim.nonce = request.nonce;
  return key_link::Enrolment{sign_enrolment(claim, identity_)};
}

}  // namespace wattle::keys
