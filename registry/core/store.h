// The registry's view of the journal as a database (DESIGN 2): rebuildable at any time by reading
// the journal again, so losing it loses nothing but the origin records, which members post anew.
// Implemented by registry/io/sqlite_store.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "registry/core/journal_entry.h"

namespace wattle::registry {

struct StoredInvite {
  TokenId token{};
  std::string name;
  UnixTime expires;
  std::uint8_t prefix_length = 0;
  std::uint8_t flags = 0;
  bool used = false;
};

struct StoredMember {
  std::string name;            // as assigned
  std::string certified_name;  // in its newest certificate
  NodeAddress address;
  IpPrefix prefix6;
  IpAddress ipv4;
  std::uint64_t serial = 0;  // of its newest certificate, as are the flags
  std::uint8_t flags = 0;
  UnixTime joined;
  bool revoked = false;
};

struct StoredOrigin {
  NodeAddress address;
  std::uint64_t seqno = 0;
  UnixTime posted;
  Bytes body;  // verified before it came here
  crypto::Signature signature{};
};

// Errors: Full where the disk has no room or cannot be written (it may be later), BadValue where
// the view contradicts the journal or is damaged (clear it and begin anew), else System.
class Store {
 public:
  virtual ~Store() = default;

  // Sequence number of the next entry it wants, and the hash of the last one it has.
  virtual std::uint64_t next_sequence() const = 0;
  virtual const crypto::Hash& last_hash() const = 0;

  // Notes entries in one transaction: all or none. They must continue the chain: BadValue.
  virtual Result<void> apply(const std::vector<Entry>& entries) = 0;
  // Forgets everything (the journal is another one, or shorter than the view, or contradicts it).
  virtual Result<void> clear() = 0;

  virtual Result<std::string> genesis() = 0;            // NotFound before the first entry
  virtual Result<std::string> document() = 0;           // the newest
  virtual Result<std::uint64_t> lifetime() = 0;         // of certificates, seconds
  virtual Result<std::optional<LostEntry>> lost() = 0;  // the newest
  virtual Result<std::optional<StoredInvite>> find_invite(const TokenId& token) = 0;
  virtual Result<std::optional<StoredMember>> find_member(const NodeAddress& address) = 0;
  virtual Result<void> each_member(const std::function<void(const StoredMember&)>& visit) = 0;

  // Keeps the newest origin record of a member; false if the seqno does not rise.
  virtual Result<bool> put_origin(const StoredOrigin& origin) = 0;
  // Relays first, then the most recently posted, without `except` and revoked members; at most
  // `count`.
  virtual Result<std::vector<StoredOrigin>> origins(std::size_t count,
                                                    const NodeAddress& except) = 0;
};

}  // namespace wattle::registry
