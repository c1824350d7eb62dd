// The signer's folder /var/lib/wattle/NET/signer: ca.key, credential.key, document.key (PEM, 0400:
// those of genesis; newer ones are in the journal) and journal. Made once by `wattle-signer init`,
// as the signer's own user.
#pragma once

#include <string>

#include "registry/signer/journal.h"
#include "registry/signer/ledger.h"
#include "registry/signer/notary.h"

namespace wattle::signer {

struct Opened {
  Journal journal;
  Ledger ledger;
  Keys keys;
};

// Makes keys, genesis, first document and journal in the (empty, existing) folder; returns the text
// of the genesis. Exists if there is a journal or a key; after another error nothing new is left.
Result<std::string> make_store(const std::string& folder, const NetworkPlan& plan, UnixTime now);

// Opens all of it: a torn last journal entry is cut off and logged; keys must be readable by their
// owner only and be those of the genesis. Errors are sentences of class Config where a person must
// act.
Result<Opened> open_store(const std::string& folder, const std::string& network);

// After the loss of the journal, in a store whose journal is a backup's (`wattle-signer lost`):
// records what follows from it (recovery.h) and returns the sentences. `input`: the bytes of a
// network document that a member held in decimal and LF, the document, then whole entries without
// secrets that were found behind damage.
Result<std::string> record_loss(Opened& opened, ByteView input, std::uint64_t now_ms);

}  // namespace wattle::signer
