#include "common/proto/node_address.h"

#include "common/base/hex.h"
#include "common/base/mutant.h"
#include "common/base/reader.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"
#include "common/proto/labels.h"

namespace wattle {
namespace {

constexpr std::size_t kTextSize = 64;

}  // namespace

std::uint32_t NodeAddress::zone() const { return Reader(ByteView(bytes).subspan(1, 4)).u32(); }

ShortId NodeAddress::short_id() const {
  const ByteArray<16> digest = crypto::aes_digest(bytes);
  ShortId out{};
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::uint8_t>(digest[i] ^ digest[i + out.size()]);
  return out;
}

std::string NodeAddress::text() const { return to_base32(bytes); }

NodeAddress NodeAddress::from_key(const crypto::PublicKey& key, std::uint32_t zone) {
  NodeAddress out;
  FixedWriter(MutableBytes(out.bytes)).u8(kAddressType).u32(zone).zeros(2).bytes(key);
  return out;
}

AddressFault parse_address(ByteView bytes40, NodeAddress& out) {
  NodeAddress address;
  if (bytes40.size() != address.bytes.size()) return AddressFault::Length;
  address.bytes = to_array<40>(bytes40);
  if (WATTLE_CHECKED(address_type, address.bytes[0] != kAddressType)) return AddressFault::Type;
  if (WATTLE_CHECKED(address_spare, address.bytes[5] != 0 || address.bytes[6] != 0))
    return AddressFault::SpareBytes;
  if (!WATTLE_CHECKED(address_point, crypto::is_point(address.public_key())))
    return AddressFault::Point;
  out = address;
  return AddressFault::None;
}

AddressFault parse_address(std::string_view base32, NodeAddress& out) {
  if (base32.size() != kTextSize) return AddressFault::Length;
  const auto bytes = parse_base32(base32);
  if (!bytes) return AddressFault::Text;
  return parse_address(ByteView(*bytes), out);
}

std::string_view phrase(AddressFault fault) {
  switch (fault) {
    case AddressFault::None:
      return "good address";
    case AddressFault::Length:
      return "address of wrong length";
    case AddressFault::Type:
      return "unknown address type";
    case AddressFault::SpareBytes:
      return "spare bytes of the address are not zero";
    case AddressFault::Point:
      return "address is not a point of P-256";
    case AddressFault::Text:
      return "address is not base32 text";
  }
  WATTLE_UNREACHABLE();
}

Result<NodeAddress> parse_address_text(std::string_view base32) {
  NodeAddress out;
  const AddressFault fault = parse_address(base32, out);
  const std::string words(phrase(fault));
  switch (fault) {
    case AddressFault::None:
      return out;
    case AddressFault::Length:
    case AddressFault::Text:
      return Error(Errc::BadSyntax, words);
    case AddressFault::Type:
    case AddressFault::SpareBytes:
      return Error(Errc::BadValue, words);
    case AddressFault::Point:
      return Error(Errc::BadPoint, words);
  }
  WATTLE_UNREACHABLE();
}

MacAddress mac_of(const NetworkId& network, const NodeAddress& address) {
  const crypto::Hash hash = crypto::sha256({as_bytes(kLabelEther), network, address.bytes});
  MacAddress out{to_array<6>(hash)};
  out.bytes[0] = static_cast<std::uint8_t>((out.bytes[0] & 0xfc) | 0x02);
  return out;
}

}  // namespace wattle
