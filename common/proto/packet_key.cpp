#include "common/proto/packet_key.h"

#include <algorithm>

#include "common/base/mutant.h"
#include "common/base/reader.h"
#include "common/base/writer.h"
#include "common/proto/labels.h"

namespace wattle {
namespace {

constexpr std::string_view kMagic = "MPK1";
constexpr std::uint8_t kSuite = 1;

bool all_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t b) { return b == 0; });
}

}  // namespace

Result<PacketKeyRecord> decode_packet_key(ByteView bytes) {
  if (bytes.size() < kPacketKeySize) return Errc::Truncated;
  if (bytes.size() > kPacketKeySize) return Errc::Trailing;
  Reader in(bytes);
  PacketKeyRecord out;
  bool constants = WATTLE_CHECKED(record_magic, as_text(in.view(4)) == kMagic);
  constants &= WATTLE_CHECKED(record_suite, in.u8() == kSuite);
  constants &= WATTLE_CHECKED(record_spare, all_zero(in.view(3)));
  out.network = in.array<16>();
  out.owner.bytes = in.array<40>();
  out.epoch = in.u64();
  out.not_before.seconds = in.u64();
  out.not_after.seconds = in.u64();
  out.key = in.array<33>();
  constants &= WATTLE_CHECKED(record_key_spare, all_zero(in.view(7)));
  out.serial = in.u64();
  if (!constants) return Errc::BadValue;
  return out;
}

PacketKeyBytes build_packet_key(const PacketKeyRecord& record, const crypto::PrivateKey& identity) {
  PacketKeyBytes out{};
  FixedWriter writer{MutableBytes(out)};
  writer.bytes(as_bytes(kMagic)).u8(kSuite).zeros(3).bytes(record.network);
  writer.bytes(record.owner.bytes).u64(record.epoch);
  writer.u64(record.not_before.seconds).u64(record.not_after.seconds);
  writer.bytes(record.key).zeros(7).u64(record.serial);
  WATTLE_CHECK(writer.written() == kPacketKeyBody);
  writer.bytes(identity.sign({as_bytes(kLabelPacketKey), ByteView(out).first(kPacketKeyBody)}));
  return out;
}

}  // namespace wattle
