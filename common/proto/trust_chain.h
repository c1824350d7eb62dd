// Whom a node believes (DESIGN 2): genesis, and what the network document that it holds says since.
// Three kinds of key can be replaced, each by a document that an older one leads to:
//   document key     a chain from genesis's on, each signed by the one before; the last signs
//   credential key   one, or two while members change from the older to the newer
//   CA certificate   likewise
// A chain never shortens and never forks: a node takes a document only if its chain begins with the
// whole chain of the one it holds. So whoever has stolen an old document key can tell nothing to a
// node that has heard of its successor. Pure; versions and time are the caller's to judge.
#pragma once

#include <vector>

#include "common/crypto/certificate.h"
#include "common/proto/genesis.h"
#include "common/proto/network_document.h"

namespace wattle {

enum class KeyKind : std::uint8_t { Document = 0, Credential = 1, Ca = 2 };
constexpr bool is_valid(KeyKind kind) { return kind <= KeyKind::Ca; }
std::string_view key_kind_name(KeyKind kind);  // "document", "credential", "ca"

class TrustChain {
 public:
  struct Start {  // genesis's
    NetworkId network{};
    crypto::PublicKey document_key{};
    crypto::PublicKey credential_key{};
    Bytes ca_der;  // empty where certificates are nobody's business (cryptod)
  };
  explicit TrustChain(Start start);
  TrustChain(const Genesis& genesis, const NetworkId& network)
      : TrustChain(Start{network, genesis.document_key, genesis.credential_key, genesis.ca_der}) {}

  // A document as parse_network_document() judges it, whose chain goes on from the one held:
  // Exists, with a sentence, if it does not.
  Result<NetworkDocument> open(std::string_view text) const;
  // It is in force now. Only what open() returned.
  void hold(const NetworkDocument& document);

  const std::vector<crypto::PublicKey>& credential_keys() const { return credential_keys_; }
  const std::vector<Bytes>& ca_ders() const { return ca_ders_; }
  const crypto::PublicKey& document_key() const;  // the last one
  bool has_ca(ByteView ca_der) const;
  // Other credential keys or CAs than genesis's are in force.
  bool has_left_genesis() const;

 private:
  bool goes_on(const NetworkDocument& next) const;

  Start start_;
  std::vector<NextDocumentKey> document_keys_;
  std::vector<crypto::PublicKey> credential_keys_;
  std::vector<Bytes> ca_ders_;
};

}  // namespace wattle
