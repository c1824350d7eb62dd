// The three keys of a network (the newest of each kind) and what they sign. Pure but for OpenSSL's
// randomness; callers have judged before (judge.h) and write the journal after.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/crypto/p256.h"
#include "registry/signer/judge.h"

namespace wattle::signer {

struct Keys {
  crypto::PrivateKey ca;
  crypto::PrivateKey credential;
  crypto::PrivateKey document;
};

inline constexpr std::uint64_t kBackdate = 300;  // clocks differ
// A member's certificate must not begin before the CA's: leaves room for a clock that is set back.
inline constexpr std::uint64_t kCaBackdate = 24 * 3600;
inline constexpr std::uint64_t kDocumentRenewal = 24 * 3600;  // re-signed when older
inline constexpr std::uint64_t kCaLifetime = 30ull * 365 * 24 * 3600;

struct NetworkPlan {  // what `wattle-signer init` is told
  std::string network;
  IpPrefix prefix;
  IpPrefix ipv4;
  ByteArray<32> https_key{};
  std::vector<std::string> urls;
  std::uint64_t lifetime = registry::kLifetime;  // of certificates, seconds
};

// The text of a new network's genesis.
Result<std::string> make_genesis(const Keys& keys, const NetworkPlan& plan, UnixTime now);
// Version 1 of the network document.
std::string make_document(const Keys& keys, const NetworkId& network, const NetworkPlan& plan,
                          UnixTime now);

// Refuses keys that are not those of the genesis.
Result<void> check_keys(const Keys& keys, const Genesis& genesis);

// A new key of this kind, and the entry that says so. The present document key signs its successor.
struct NewKey {
  registry::RotateEntry entry;
  crypto::PrivateKey key;
};
Result<NewKey> make_key(const Keys& keys, const Ledger& ledger, KeyKind kind, UnixTime now);
// It signs from now on.
void use_key(Keys& keys, KeyKind kind, crypto::PrivateKey key);

// Certificate and credential for an approved request: same serial, max(last + 1, now in ms), same
// validity.
Result<registry::IssueEntry> certify(const Keys& keys, const Ledger& ledger,
                                     const Approval& approval, const sign_link::Issue& request,
                                     std::uint64_t now_ms);

// The same for a renewal: the member's addresses, its name and flags as they are now.
Result<registry::RenewEntry> certify(const Keys& keys, const Ledger& ledger, const Renewal& renewal,
                                     const sign_link::Renew& request, std::uint64_t now_ms);

// The same for one that comes back after a loss: with what its old credential says.
Result<registry::AdoptEntry> certify(const Keys& keys, const Ledger& ledger,
                                     const Adoption& adoption, const sign_link::Renew& request,
                                     std::uint64_t now_ms);

// `wished` signed as the next document: version + 1, time `now`, the keys in force, the serials of
// members that must renew (kMaxReissues, if there is room: first those still good, oldest first),
// and every revocation that has not run out, of the ledger and of `wished`.
std::string sign_document(const Keys& keys, const Ledger& ledger, NetworkDocument wished,
                          UnixTime now);
// The present document so, if there is a reason: it lacks a revocation, the keys or the serials to
// renew are others, it is older than kDocumentRenewal, or a loss has left its version behind.
std::optional<std::string> renew_document(const Keys& keys, const Ledger& ledger, UnixTime now);

}  // namespace wattle::signer
