// The membership credential CRED, 216 bytes (security.md 2.5.3), signed by the network's credential
// key over "wattle/cred/1" 00 || bytes 0..151:
//   0 "MCR1"  4 suite=1  5 flags  6 ipv6 length  7 ipv4 length  8 network id 16  24 address 40
//   64 serial  72 not_before  80 not_after  88 MAC 6, zero 2  96 IPv4 4, zero 4  104 IPv6 prefix 16
//   120 name hash 16  136 hash of further subnets 16  152 signature 64
#pragma once

#include <string_view>

#include "common/base/time.h"
#include "common/net/ip_address.h"
#include "common/proto/node_address.h"

namespace wattle {

inline constexpr std::size_t kCredentialSize = 216;
inline constexpr std::size_t kCredentialBody = 152;
using CredentialBytes = ByteArray<kCredentialSize>;

enum CredentialFlag : std::uint8_t {
  kFlagRelay = 1,
  kFlagBridge = 2,
  kFlagRouter = 4,
  kFlagDhcp = 8,
  kFlagGateway = 16,
  kFlagLeaf = 32,
};

struct Credential {
  std::uint8_t flags = 0;
  NetworkId network{};
  NodeAddress address;
  std::uint64_t serial = 0;
  UnixTime not_before, not_after;
  MacAddress mac;
  IpPrefix ipv4;  // address and length (32 for all but routers)
  IpPrefix ipv6;  // the member's prefix
  ByteArray<16> name_hash{};
  ByteArray<16> subnets_hash{};
  // Not in the encoding: the credential key that signed it, told by acceptance.h.
  crypto::PublicKey signed_by{};

  // The member's own IPv6 address: prefix, zeros, final 1 (a /128 is the address itself).
  IpAddress address6() const;
  // True if the address may be used by this member: its IPv4 (prefix), inside its IPv6 prefix, or
  // the link-local address of its MAC.
  bool owns(const IpAddress& address) const;
};

// First 16 bytes of SHA-256("wattle/name" 00 || name).
ByteArray<16> name_hash(std::string_view name);

// Decodes the fields and checks the constants only (no signature, no time); the address's point is
// not checked here. Errors: Truncated/Trailing for a wrong length, BadValue for wrong constants.
Result<Credential> decode_credential(ByteView bytes);

// Builds and signs (the signer only).
CredentialBytes build_credential(const Credential& c, const crypto::PrivateKey& credential_key);

}  // namespace wattle
