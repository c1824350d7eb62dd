// The Anode address ANODE-256-40 (protocols.md 4.1, 4.4): 40 bytes
//   [0] type = 1  [1..4] zone  [5..6] zero  [7..39] compressed P-256 point
// It *is* the node's identity key. Text form: 64 lower-case base32 characters.
#pragma once

#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/crypto/p256.h"
#include "common/net/mac_address.h"

namespace wattle {

inline constexpr std::uint8_t kAddressType = 1;
inline constexpr std::uint32_t kDefaultZone = 1;

using NetworkId = ByteArray<16>;  // first half of SHA-256 of the genesis document
using ShortId = ByteArray<8>;     // an index, never an authenticator

struct NodeAddress {
  ByteArray<40> bytes{};

  auto operator<=>(const NodeAddress&) const = default;
  ByteView public_key() const { return ByteView(bytes).subspan(7, 33); }
  std::uint32_t zone() const;
  ShortId short_id() const;  // AES-DIGEST folded: d[0..7] xor d[8..15]
  std::string text() const;

  static NodeAddress from_key(const crypto::PublicKey& key, std::uint32_t zone = kDefaultZone);
};

enum class AddressFault { None, Length, Type, SpareBytes, Point, Text };
// Distinct faults for distinct errors; None means `out` is set and valid.
AddressFault parse_address(ByteView bytes40, NodeAddress& out);
AddressFault parse_address(std::string_view base32, NodeAddress& out);
std::string_view phrase(AddressFault fault);  // "unknown address type", ...
// The same as a Result (BadSyntax, BadValue or BadPoint, with the phrase).
Result<NodeAddress> parse_address_text(std::string_view base32);

// First six bytes of SHA-256("wattle/ether" 00 || network id || address), locally administered and
// unicast (DESIGN 2).
MacAddress mac_of(const NetworkId& network, const NodeAddress& address);

}  // namespace wattle
