#include "common/proto/credential.h"

#include "common/base/mutant.h"
#include "common/base/reader.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"
#include "common/proto/labels.h"

namespace wattle {
namespace {

constexpr std::string_view kMagic = "MCR1";
constexpr std::uint8_t kSuite = 1;
constexpr std::uint8_t kAllFlags = 63;

}  // namespace

IpAddress Credential::address6() const {
  IpAddress out = ipv6.network().address;
  if (ipv6.length < 128) out.bytes[15] |= 1;
  return out;
}

bool Credential::owns(const IpAddress& a) const {
  return ipv4.contains(a) || ipv6.contains(a) || a == IpAddress::link_local(mac);
}

ByteArray<16> name_hash(std::string_view name) {
  return to_array<16>(crypto::sha256({as_bytes(kLabelName), as_bytes(name)}));
}

Result<Credential> decode_credential(ByteView bytes) {
  if (bytes.size() < kCredentialSize) return Errc::Truncated;
  if (bytes.size() > kCredentialSize) return Errc::Trailing;
  Reader in(bytes);
  Credential out;
  const ByteView head = in.view(5);
  const bool magic =
      WATTLE_CHECKED(credential_magic, as_text(head.first(4)) == kMagic && head[4] == kSuite);
  out.flags = in.u8();
  out.ipv6.length = in.u8();
  out.ipv4.length = in.u8();
  out.network = in.array<16>();
  out.address.bytes = in.array<40>();
  out.serial = in.u64();
  out.not_before.seconds = in.u64();
  out.not_after.seconds = in.u64();
  out.mac.bytes = in.array<6>();
  const std::uint16_t spare = in.u16();
  out.ipv4.address = IpAddress::v4(in.array<4>());
  const std::uint32_t more_spare = in.u32();
  out.ipv6.address = IpAddress::v6(in.array<16>());
  out.name_hash = in.array<16>();
  out.subnets_hash = in.array<16>();

  const bool lengths = out.ipv6.length <= 128 && out.ipv4.length <= 32 &&
                       (out.ipv4.length == 32 || (out.flags & kFlagRouter) != 0);
  if (!magic || WATTLE_CHECKED(credential_flags, out.flags > kAllFlags) ||
      !WATTLE_CHECKED(credential_lengths, lengths) ||
      WATTLE_CHECKED(credential_spare, spare != 0 || more_spare != 0))
    return Errc::BadValue;
  return out;
}

CredentialBytes build_credential(const Credential& c, const crypto::PrivateKey& credential_key) {
  CredentialBytes out{};
  FixedWriter writer{MutableBytes(out)};
  writer.bytes(as_bytes(kMagic)).u8(kSuite).u8(c.flags).u8(c.ipv6.length).u8(c.ipv4.length);
  writer.bytes(c.network).bytes(c.address.bytes).u64(c.serial);
  writer.u64(c.not_before.seconds).u64(c.not_after.seconds).bytes(c.mac.bytes).zeros(2);
  writer.bytes(ByteView(c.ipv4.address.bytes).first(4)).zeros(4).bytes(c.ipv6.address.bytes);
  writer.bytes(c.name_hash).bytes(c.subnets_hash);
  WATTLE_CHECK(writer.written() == kCredentialBody);
  writer.bytes(
      credential_key.sign({as_bytes(kLabelCredential), ByteView(out).first(kCredentialBody)}));
  return out;
}

}  // namespace wattle
