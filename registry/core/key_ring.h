// The keys of a network as its journal tells: genesis's, and each that took over since (DESIGN 2).
// The newest of a kind signs. Of credential keys and CAs the one before it stays in force, beside
// it, until it is retired; an older document key signs nothing any more as soon as there is a newer
// one. Public halves only. Pure.
#pragma once

#include <array>
#include <vector>

#include "common/proto/trust_chain.h"
#include "registry/core/journal_entry.h"

namespace wattle::registry {

class KeyRing {
 public:
  struct Key {
    crypto::PublicKey key{};        // zero for genesis's CA, whose certificate has it
    Bytes ca_der;                   // of a CA
    crypto::Signature signature{};  // of a document key after genesis's: by the one before it
    UnixTime since;
    bool in_force = true;
  };

  KeyRing() = default;
  explicit KeyRing(const Genesis& genesis);

  // Entries of the journal; BadValue, with the reason, if they contradict what was before.
  Result<void> rotate(const RotateEntry& e, const NetworkId& network, UnixTime time);
  Result<void> retire(const RetireEntry& e);

  const std::vector<Key>& keys(KeyKind kind) const;  // in order; genesis's first
  std::size_t newest(KeyKind kind) const { return keys(kind).size() - 1; }
  std::size_t in_force(KeyKind kind) const;                                // how many
  const Bytes& ca_der() const { return keys(KeyKind::Ca).back().ca_der; }  // the newest

  // What the network document must say of them, and whether it does.
  void put(NetworkDocument& document) const;
  bool is_said_by(const NetworkDocument& document) const;

 private:
  std::vector<Key>& keys(KeyKind kind);
  std::array<std::vector<Key>, 3> kinds_;
};

}  // namespace wattle::registry
