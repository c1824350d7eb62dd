// What keyd must never forget, and its form in the counter file: two slots, written in turn, so
// that the one before always survives a torn write. A slot is 512 bytes, big-endian:
//   0 "MKC1"  4 zero 4  8 generation  16 epoch  24 seqno  32 allowances: record, origin, enrolment,
//   each credit u64 and time u64  80 has_record u8, zero 7  88 last signed packet-key record 200
//   288 document version  296 zero 184  480 SHA-256 of bytes 0..479
// Slot `generation % 2` stands at offset (generation % 2) * kSlotStride.
#pragma once

#include "common/proto/packet_key.h"
#include "cryptod/keys/allowance.h"

namespace wattle::keys {

inline constexpr std::size_t kSlotSize = 512;
inline constexpr std::size_t kSlotStride = 4096;
using SlotBytes = ByteArray<kSlotSize>;

struct Counters {
  std::uint64_t generation = 0;  // of the slot; 0: never stored
  std::uint64_t epoch = 0;       // of the last packet-key record signed
  std::uint64_t seqno = 0;       // of the last origin record signed
  Allowance record, origin, enrolment;
  bool has_record = false;
  PacketKeyBytes last_record{};
  std::uint64_t document = 0;  // highest version of the network document that was verified here

  auto operator<=>(const Counters&) const = default;
};

SlotBytes build_slot(const Counters& counters);
// Truncated, BadValue (constants, spare bytes) or BadSignature (checksum).
Result<Counters> parse_slot(ByteView slot);

enum class Health {
  Fresh,  // nothing was ever written: epoch and seqno start from the clock
  Good,
  OneDamaged,   // the other one is used; epoch and seqno skip kDamageGap
  BothDamaged,  // epoch and seqno start from the clock
};

// More than one generation can ever add: what the damaged slot may have held is not used twice.
inline constexpr std::uint64_t kDamageGap = 1000;

struct Loaded {
  Health health = Health::Fresh;
  Counters counters;
};
// The newest of both slots as they were read (short or empty where the file ends).
Loaded load_slots(ByteView slot0, ByteView slot1);

}  // namespace wattle::keys
