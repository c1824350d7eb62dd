// Judges what a registry answered to a join request: everything is measured against the genesis
// hash of the invite and against what this host asked for, and each part against the others. Pure;
// runs inside the sealed wattle-check (check_main.cpp).
#pragma once

#include "metad/ctl/check_protocol.h"

namespace wattle::ctl {

// Member only if all of this holds:
// genesis has the hash and the name of the invite; the document is signed by its key and revokes us
// not; the certificate chains to its CA, has wattle's profile and the CSR's key; the credential is
// signed by its credential key and is for our address; and both agree on name, address, serial,
// validity, prefix, IPv4 address; those lie in the network's blocks; MAC and common name are the
// derived ones.
CheckAnswer check_join(const CheckRequest& request);

}  // namespace wattle::ctl
