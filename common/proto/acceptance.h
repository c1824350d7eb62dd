// The acceptance list for PKR + CRED (security.md 2.5.3; order and names as in the vectors'
// README). Pure: the caller passes the time, the trust and what it has seen of that address before.
#pragma once

#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "common/proto/credential.h"
#include "common/proto/packet_key.h"

namespace wattle {

// Named after the checks of tests/vectors; check_name() gives the vectors' spelling ("pkr_low_s").
enum class Check : std::uint8_t {
  Accept,
  Length,
  Constants,
  Network,
  Owner,
  Address,
  CredTime,
  CredLowS,
  CredSignature,
  Revoked,
  Serial,
  SerialOld,
  PkrTime,
  PkrLife,
  PkrEpoch,
  PkrPoint,
  PkrLowS,
  PkrSignature,
};
inline constexpr std::size_t kChecks = static_cast<std::size_t>(Check::PkrSignature) + 1;
std::string_view check_name(Check check);

// What a node judges by.
struct Trust {
  NetworkId network{};
  std::vector<crypto::PublicKey> credential_keys;  // in force: one or two
  std::set<std::uint64_t> revoked;                 // serials
  // The key of a credential that was accepted before is still in force.
  bool has_key(const crypto::PublicKey& key) const;
};

// The newest verified record of an address (bytes 0..135), and the highest verified serial.
struct SeenRecord {
  ByteArray<kPacketKeyBody> body{};
  std::uint64_t epoch = 0;
  std::uint64_t serial = 0;
};

struct Accepted {
  PacketKeyRecord record;
  Credential credential;
};

// Credential alone (own credential, renewals, origin records): constants, network, owner, address,
// time, signature, revocation, serial not older than `lowest_serial`.
Check accept_credential(const Trust& trust, ByteView cred, const NodeAddress& asked, UnixTime now,
                        std::uint64_t lowest_serial, Credential& out);

// Both. `seen` may be null. On Accept, `out` is set and the caller replaces what it has seen.
Check accept_record(const Trust& trust, ByteView pkr, ByteView cred, const NodeAddress& asked,
                    UnixTime now, const SeenRecord* seen, Accepted& out);

}  // namespace wattle
