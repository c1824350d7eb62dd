// SHA-256, HMAC-SHA-256, HKDF (RFC 5869 and Noise's use of it), AES-CMAC and Anode's AES-DIGEST.
// All are total functions of public OpenSSL 3 EVP calls; a library failure aborts (CHECK).
#pragma once

#include <initializer_list>

#include "common/base/bytes.h"
#include "common/base/secret.h"

namespace wattle::crypto {

using Hash = ByteArray<32>;

Hash sha256(std::initializer_list<ByteView> parts);
inline Hash sha256(ByteView data) { return sha256({data}); }
Hash hmac_sha256(ByteView key, std::initializer_list<ByteView> parts);
inline Hash hmac_sha256(ByteView key, ByteView data) { return hmac_sha256(key, {data}); }

// RFC 5869 extract and expand; fills `out` (at most 255 * 32 bytes). With an empty info and a
// chaining key as salt this is Noise's HKDF.
void hkdf_sha256(ByteView salt, ByteView input, ByteView info, MutableBytes out);

// AES-256-CMAC (NIST SP 800-38B); key of 32 bytes.
ByteArray<16> aes_cmac(ByteView key, ByteView data);

// Anode's Davies-Meyer digest over AES-256 (protocols.md 4.3 rows 1-5): an index, never an
// authenticator.
ByteArray<16> aes_digest(ByteView data);

// Anode's XOR "derivation" of `size` bytes from a secret (protocols.md 4.3 row 6). Only for Anode's
// own packets.
Bytes xor_derive(ByteView secret, std::size_t size);

}  // namespace wattle::crypto
