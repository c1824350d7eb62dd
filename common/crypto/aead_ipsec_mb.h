// AES-256-GCM of Intel's libipsec-mb, which works on AMD's processors just as well: two to four
// times as fast as OpenSSL 3.0 per packet where the processor has VAES. A library of its own
// (wattle_ipsec_mb), for cryptod alone; Debian has it for amd64 only.
#pragma once

#include "common/crypto/aead.h"

namespace wattle::crypto {

// Before the sandbox closes. nullptr: this build does not have it, or the processor has no AES
// instructions, where it would be slower and its timing would depend on the key.
const AeadLibrary* ipsec_mb_aead();

}  // namespace wattle::crypto
