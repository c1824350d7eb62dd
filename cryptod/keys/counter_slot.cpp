#include "cryptod/keys/counter_slot.h"

#include <algorithm>
#include <array>

#include "common/base/mutant.h"
#include "common/base/reader.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"

namespace wattle::keys {

namespace {

constexpr ByteArray<4> kMagic = {'M', 'K', 'C', '1'};
constexpr std::size_t kBody = 480;
constexpr std::size_t kSpare = kBody - 296;

bool is_blank(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

void write(FixedWriter& out, const Allowance& a) { out.u64(a.credit_ms).u64(a.at_ms); }

Allowance read_allowance(Reader& in) {
  Allowance a;
  a.credit_ms = in.u64();
  a.at_ms = in.u64();
  return a;
}

}  // namespace

SlotBytes build_slot(const Counters& c) {
  SlotBytes slot{};
  FixedWriter out(slot);
  out.bytes(kMagic).zeros(4).u64(c.generation).u64(c.epoch).u64(c.seqno);
  write(out, c.record);
  write(out, c.origin);
  write(out, c.enrolment);
  out.u8(c.has_record ? 1 : 0).zeros(7).bytes(c.last_record);
  out.u64(c.document).zeros(kSpare);
  out.bytes(crypto::sha256(ByteView(slot).first(kBody)));
  return slot;
}

Result<Counters> parse_slot(ByteView slot) {
  if (slot.size() != kSlotSize) return Errc::Truncated;
  const crypto::Hash sum = crypto::sha256(slot.first(kBody));
  if (!WATTLE_CHECKED(keyd_slot_sum, equal(sum, slot.subspan(kBody)))) return Errc::BadSignature;
  Reader in(slot);
  Counters c;
  const auto magic = in.array<4>();
  const bool spare0 = is_blank(in.view(4));
  c.generation = in.u64();
  c.epoch = in.u64();
  c.seqno = in.u64();
  c.record = read_allowance(in);
  c.origin = read_allowance(in);
  c.enrolment = read_allowance(in);
  const std::uint8_t has_record = in.u8();
  const bool spare1 = is_blank(in.view(7));
  c.last_record = in.array<kPacketKeySize>();
  c.document = in.u64();
  const bool spare2 = is_blank(in.view(kSpare));
  if (magic != kMagic || !spare0 || !spare1 || !spare2 || has_record > 1 || c.generation == 0)
    return Errc::BadValue;
  c.has_record = has_record == 1;
  if (!c.has_record && !is_blank(c.last_record)) return Errc::BadValue;
  return c;
}

Loaded load_slots(ByteView slot0, ByteView slot1) {
  Loaded loaded;
  bool damaged = false;
  bool found = false;
  std::size_t index = 0;
  for (const ByteView slot : {slot0, slot1}) {
    const auto counters = parse_slot(slot);
    if (counters && counters->generation % 2 == index) {
      if (!found || counters->generation > loaded.counters.generation) loaded.counters = *counters;
      found = true;
    } else if (!is_blank(slot)) {
      damaged = true;
    }
    ++index;
  }
  // After the second write no slot can be blank: then it was lost.
  const bool lost = found && loaded.counters.generation > 1 && (is_blank(slot0) || is_blank(slot1));
  if (!found) {
    loaded.health = damaged ? Health::BothDamaged : Health::Fresh;
  } else if (damaged || lost) {
    loaded.health = Health::OneDamaged;
    const auto skip = [](std::uint64_t& n) {
      n = n > UINT64_MAX - kDamageGap ? UINT64_MAX : n + kDamageGap;
    };
    skip(loaded.counters.epoch);
    skip(loaded.counters.seqno);
  } else {
    loaded.health = Health::Good;
  }
  return loaded;
}

}  // namespace wattle::keys
