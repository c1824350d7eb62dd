// One entry of the signer's journal (DESIGN 2): the truth about a network, of which the registry's
// database is a view. Pure codec; big-endian:
//   0  "WJE1"        4  kind u8     5  zero u8   6  secret size u16 (0, or 32 for an invite or a
//   new key) 8  sequence u64  16 time u64    24 body size u32   28 zero u32 32 hash of the entry
//   before this one (32; zeros for the first) 64 first 8 bytes of SHA-256 of bytes 0..63: tells a
//   damaged header from a torn body 72 body   then SHA-256 of everything before it (32)   then the
//   secret
// The chain covers the body, not the secret (an invite's key K, the scalar of a new key), so that
// the registry, which gets entries without secrets, checks the same chain. K is bound by the token
// id in the body, the scalar by its public key.
#pragma once

#include <string>
#include <variant>

#include "common/base/time.h"
#include "common/net/ip_address.h"
#include "common/proto/credential.h"
#include "common/proto/enrolment.h"
#include "common/proto/genesis.h"
#include "common/proto/trust_chain.h"

namespace wattle::registry {

inline constexpr std::string_view kEntryMagic = "WJE1";
inline constexpr std::size_t kEntryHeader = 72;
inline constexpr std::size_t kMaxEntry = kEntryHeader + kMaxDocument + 32 + 32;

// Seconds that certificates may last, and for which they do where the journal says nothing.
inline constexpr std::uint64_t kMinLifetime = 60;
inline constexpr std::uint64_t kMaxLifetime = 366ull * 24 * 3600;
inline constexpr std::uint64_t kLifetime = 30ull * 24 * 3600;

// How long a join may wait for approval, and an approved one for its machine to come back, seconds.
inline constexpr std::uint64_t kPendingLife = 30ull * 24 * 3600;

struct GenesisEntry {  // the first entry, and only that one
  std::string text;
  bool operator==(const GenesisEntry&) const = default;
};
struct DocumentEntry {  // the whole signed network document
  std::string text;
  bool operator==(const DocumentEntry&) const = default;
};
struct InviteEntry {
  TokenId token{};
  std::string name;
  std::uint8_t prefix_length = 0;
  std::uint8_t flags = 0;
  UnixTime expires;
  bool has_key = false;  // false in what the registry gets
  InviteKey key{};
  bool operator==(const InviteEntry&) const = default;
};
// The finished certificate and credential: whoever asks again with the same token, address and CSR
// hash gets these bytes.
struct IssueEntry {
  TokenId token{};
  NodeAddress address;
  crypto::Hash csr_hash{};
  IpPrefix prefix6;
  IpAddress ipv4;
  std::uint64_t serial = 0;
  std::uint8_t flags = 0;
  std::string name;
  CredentialBytes credential{};
  Bytes certificate;  // DER
  bool operator==(const IssueEntry&) const = default;
};
// A member's newer certificate and credential: same addresses; name and flags as they are by then.
struct RenewEntry {
  NodeAddress address;
  crypto::Hash csr_hash{};
  Nonce nonce{};  // of the request: used once
  std::uint64_t serial = 0;
  std::uint8_t flags = 0;
  std::string name;
  CredentialBytes credential{};
  Bytes certificate;  // DER
  bool operator==(const RenewEntry&) const = default;
};
struct RenameEntry {  // holds from the member's next certificate on
  NodeAddress address;
  std::string name;
  bool operator==(const RenameEntry&) const = default;
};
struct RevokeEntry {  // the member, for ever: all its certificates, and no renewal
  NodeAddress address;
  bool operator==(const RevokeEntry&) const = default;
};
struct FlagsEntry {  // hold from the member's next certificate on
  NodeAddress address;
  std::uint8_t flags = 0;
  bool operator==(const FlagsEntry&) const = default;
};
// Where the network wants joins approved (registry.conf): this machine asked with a right proof and
// waits. The token is its own from here on, also when it expires.
struct PendingEntry {
  TokenId token{};
  NodeAddress address;
  crypto::Hash csr_hash{};
  bool operator==(const PendingEntry&) const = default;
};
// The administrator's word on it. With zeros for an address: on an invite that nobody used yet, so
// that whoever holds it need not wait.
struct ApproveEntry {
  TokenId token{};
  NodeAddress address;
  bool approved = false;  // false: rejected, for ever
  bool operator==(const ApproveEntry&) const = default;
};
struct PolicyEntry {           // of the signer itself, told by `wattle-signer init`
  std::uint64_t lifetime = 0;  // of certificates and credentials, seconds
  bool operator==(const PolicyEntry&) const = default;
};
struct RotateEntry {  // a new key of the network: it signs from here on
  KeyKind kind{};
  crypto::PublicKey key{};
  crypto::Signature signature{};  // of a document key: by the one before it; else zeros
  Bytes ca_der;                   // of a CA; else empty
  bool has_secret = false;        // false in what the registry gets
  ByteArray<32> secret{};         // the private key's scalar
  bool operator==(const RotateEntry&) const = default;
};
struct RetireEntry {  // all keys of this kind but the newest are not in force any more
  KeyKind kind{};
  bool operator==(const RetireEntry&) const = default;
};

// Everything that came between the entry before this one and this one is lost (`wattle-signer
// lost`, after the loss of a journal). What it may have handed out is not handed out again; all
// invites before it are void; a member that the journal does not know comes back by its credential.
struct LostEntry {
  std::uint64_t version = 0;  // of network documents: the next one has a higher one
  std::uint64_t serial = 0;   // of certificates: likewise; lost ones have it or a lower one
  IpAddress last6, last4;     // of addresses: no new member gets one at or below these
  bool operator==(const LostEntry&) const = default;
};
// A member's newer certificate and credential, as a renewal's, where the journal has lost the old
// one or the whole member: `before` is the credential that the member showed.
struct AdoptEntry {
  NodeAddress address;
  crypto::Hash csr_hash{};
  Nonce nonce{};
  std::uint64_t serial = 0;
  std::uint8_t flags = 0;
  std::string name;
  CredentialBytes before{};
  CredentialBytes credential{};
  Bytes certificate;  // DER
  bool operator==(const AdoptEntry&) const = default;
};

using EntryBody = std::variant<GenesisEntry, DocumentEntry, InviteEntry, IssueEntry, RenewEntry,
                               RenameEntry, RevokeEntry, FlagsEntry, PolicyEntry, RotateEntry,
                               RetireEntry, LostEntry, AdoptEntry, PendingEntry, ApproveEntry>;

struct Entry {
  std::uint64_t sequence = 0;
  UnixTime time;
  crypto::Hash previous{};
  EntryBody body;
  crypto::Hash hash{};   // of this entry; set by decode_entry and build_entry
  std::size_t size = 0;  // bytes it took
};

// Builds the stored form (with the secret, if the body has one) and sets entry.hash and entry.size.
Bytes build_entry(Entry& entry);
// The same bytes without the secret: what READ_JOURNAL hands out.
Bytes without_secret(ByteView entry);

enum class Secrets { Expected, Removed };
// Decodes the entry at the beginning of `bytes`; more may follow it. Truncated: it goes on past the
// end; BadSignature: header check or hash does not match; BadValue: a field's value is forbidden.
Result<Entry> decode_entry(ByteView bytes, Secrets secrets);

// True if `bytes` begins with a whole, undamaged header; `sequence` is then set.
bool is_entry_header(ByteView bytes, std::uint64_t& sequence);

// What follows the last good entry of a journal: nothing; the beginning of an entry that a crash
// cut short (no later header in it, and no longer than one entry); or damage.
enum class Tail { Clean, Torn, Damaged };
Tail judge_tail(ByteView rest, std::uint64_t next_sequence);

}  // namespace wattle::registry
