// P-256 keys: ECDSA-SHA-256 signatures as raw r || s with low s, and ECDH. Public keys are always
// 33-byte compressed points; anything else (infinity, hybrid, uncompressed, off the curve) is
// refused before OpenSSL is asked to do arithmetic with it (security.md 2.3 row 25).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "common/base/secret.h"

struct evp_pkey_st;

namespace wattle::crypto {

using PublicKey = ByteArray<33>;  // compressed
using Signature = ByteArray<64>;  // r || s, low s

struct FreeKey {
  void operator()(evp_pkey_st* key) const;
};
using KeyHandle = std::unique_ptr<evp_pkey_st, FreeKey>;

// True if the 33 bytes are a valid compressed point of P-256.
bool is_point(ByteView point);

// Why a signature was refused; order of the checks as in pkik vectors decision 14.
enum class Verdict { Good, OutOfRange, HighS, BadPoint, Wrong };
Verdict verify(ByteView public_key33, ByteView message, ByteView signature64);

// `message` may come in parts; they are hashed in order.
Verdict verify(ByteView public_key33, std::initializer_list<ByteView> message,
               ByteView signature64);

class PrivateKey {
 public:
  // From OpenSSL's private random generator.
  static PrivateKey generate();
  // From a 32-byte big-endian scalar in 1..n-1 (fixed keys in tests, keys read from files).
  static Result<PrivateKey> from_scalar(ByteView scalar32);
  static Result<PrivateKey> from_pem(std::string_view pem);

  PrivateKey(PrivateKey&&) noexcept;
  PrivateKey& operator=(PrivateKey&&) noexcept;
  ~PrivateKey();

  const PublicKey& public_key() const { return public_; }
  std::string to_pem() const;  // PKCS#8, unencrypted: the caller guards the file
  Secret<32> scalar() const;

  Signature sign(std::initializer_list<ByteView> message) const;
  Signature sign(ByteView message) const { return sign({message}); }

  // x coordinate of the shared point, 32 bytes; BadPoint if `peer33` is not a point.
  Result<Secret<32>> dh(ByteView peer33) const;

  evp_pkey_st* handle() const { return key_.get(); }  // for X.509 and TLS; owned by this

 private:
  PrivateKey(KeyHandle key, const PublicKey& public_key);
  KeyHandle key_;
  PublicKey public_{};
};

// Public key as an EVP_PKEY (for X.509 and TLS). BadPoint if invalid.
Result<KeyHandle> public_key_handle(ByteView public_key33);

}  // namespace wattle::crypto
