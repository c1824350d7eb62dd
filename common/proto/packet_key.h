// The packet-key record PKR, 200 bytes (security.md 2.5.3), signed by the owner's identity key over
// "wattle/packet-key/1" 00 || bytes 0..135:
//   0 "MPK1"  4 suite=1  5 zero 3  8 network id 16  24 owner address 40  64 epoch  72 not_before
//   80 not_after  88 packet public key 33  121 zero 7  128 credential serial  136 signature 64
#pragma once

#include "common/base/time.h"
#include "common/proto/node_address.h"

namespace wattle {

inline constexpr std::size_t kPacketKeySize = 200;
inline constexpr std::size_t kPacketKeyBody = 136;
inline constexpr std::uint64_t kPacketKeyLife = 7800;  // seconds, at most
inline constexpr std::uint64_t kClockSkew = 120;       // seconds of tolerance, both sides
using PacketKeyBytes = ByteArray<kPacketKeySize>;

struct PacketKeyRecord {
  NetworkId network{};
  NodeAddress owner;
  std::uint64_t epoch = 0;
  UnixTime not_before, not_after;
  crypto::PublicKey key{};
  std::uint64_t serial = 0;
};

// Fields and constants only, as decode_credential.
Result<PacketKeyRecord> decode_packet_key(ByteView bytes);
PacketKeyBytes build_packet_key(const PacketKeyRecord& record, const crypto::PrivateKey& identity);

}  // namespace wattle
