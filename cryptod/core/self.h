// This node as cryptod knows it: who it is (keyd), what it may (credential), whom it believes
// (genesis and document), and its packet keys.
#pragma once

#include <optional>

#include "common/base/mutant.h"
#include "common/proto/acceptance.h"
#include "cryptod/core/own_keys.h"

namespace wattle::cryptod {

struct Self {
  std::optional<NodeAddress> address;  // from keyd's Identity
  ShortId id{};
  Trust trust;
  std::uint64_t document_version = 0;
  std::uint64_t least_document = 0;  // keyd's memory: an older one is refused
  bool broadcast = true;             // the document allows ff:ff:ff:ff:ff:ff

  std::optional<CredentialBytes> offered;  // newest from metad, verified or not
  CredentialBytes credential_bytes{};
  std::optional<Credential> credential;  // verified and not over
  std::uint64_t highest_serial = 0;      // of all that were
  OwnKeys keys;

  // The key to handshake with; null while there is none, its holder is barred, or it is not known
  // who else is.
  LocalKey* key() const {
    LocalKey* const key = keys.current();
    return credential && key != nullptr && key->key && !barred() && knows_newest() ? key : nullptr;
  }
  // keyd remembers no newer document than the one in force: whoever withholds that after a restart
  // brings no revoked member and no retired key back.
  bool knows_newest() const {
    return WATTLE_CHECKED(document_newest_known, document_version >= least_document);
  }
  // Nobody takes our credential: it is revoked, or of a key that is not in force any more.
  bool barred() const {
    return credential &&
           (trust.revoked.contains(credential->serial) || !trust.has_key(credential->signed_by));
  }
};

}  // namespace wattle::cryptod
