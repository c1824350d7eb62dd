// Internal to common/crypto: OpenSSL set up without its configuration file, algorithms fetched once
// (an implicit fetch per call is slow in 3.0), and unique_ptr for its objects.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>

#include "common/base/bytes.h"

namespace wattle::crypto {

template <auto kFree>
struct Free {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};

using BigNumber = std::unique_ptr<BIGNUM, Free<BN_clear_free>>;
using Memory = std::unique_ptr<BIO, Free<BIO_free_all>>;
using SignaturePair = std::unique_ptr<ECDSA_SIG, Free<ECDSA_SIG_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Free<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Free<EVP_MAC_CTX_free>>;
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, Free<EVP_CIPHER_CTX_free>>;
using X509Handle = std::unique_ptr<X509, Free<X509_free>>;
using RequestHandle = std::unique_ptr<X509_REQ, Free<X509_REQ_free>>;

// Aborts with OpenSSL's own words on stderr when `ok` is false: for calls that fail only when the
// library is broken or memory is gone. Never for foreign input.
void must(bool ok, const char* what);

struct Algorithms {
  EVP_MD* sha256;
  EVP_CIPHER* aes256_gcm;
  EVP_CIPHER* aes256_ecb;
  EVP_MAC_CTX* hmac_sha256;  // keyed with nothing; duplicate, then key
  EVP_MAC_CTX* aes256_cmac;
};
// Sets the library up at the first call; the same object for the life of the process.
const Algorithms& algorithms();

// Forgets what failed calls on foreign input left in OpenSSL's error queue.
void drop_errors();

}  // namespace wattle::crypto
