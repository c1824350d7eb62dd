#include "common/crypto/library.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#include <cstdio>
#include <cstdlib>

namespace wattle::crypto {
namespace {

// A MAC context with its digest or cipher resolved and a key of zeros: EVP_MAC_CTX_dup() of it is
// far cheaper than resolving the algorithm again.
EVP_MAC_CTX* mac_template(const char* mac_name, const char* part, const char* part_name) {
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, mac_name, nullptr);
  must(mac != nullptr, "EVP_MAC_fetch");
  EVP_MAC_CTX* context = EVP_MAC_CTX_new(mac);
  EVP_MAC_free(mac);
  must(context != nullptr, "EVP_MAC_CTX_new");
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(part, const_cast<char*>(part_name), 0),
      OSSL_PARAM_construct_end()};
  const ByteArray<32> zeros{};
  must(EVP_MAC_init(context, zeros.data(), zeros.size(), parameters) == 1, "EVP_MAC_init");
  return context;
}

Algorithms set_up() {
  const std::uint64_t options = OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_CRYPTO_STRINGS |
                                OPENSSL_INIT_ADD_ALL_CIPHERS | OPENSSL_INIT_ADD_ALL_DIGESTS;
  must(OPENSSL_init_crypto(options, nullptr) == 1, "OPENSSL_init_crypto");
  must(OSSL_PROVIDER_load(nullptr, "default") != nullptr, "OSSL_PROVIDER_load");
  Algorithms out{};
  out.sha256 = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  out.aes256_gcm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  out.aes256_ecb = EVP_CIPHER_fetch(nullptr, "AES-256-ECB", nullptr);
  must(out.sha256 != nullptr && out.aes256_gcm != nullptr && out.aes256_ecb != nullptr,
       "fetching algorithms");
  out.hmac_sha256 = mac_template("HMAC", OSSL_MAC_PARAM_DIGEST, "SHA2-256");
  out.aes256_cmac = mac_template("CMAC", OSSL_MAC_PARAM_CIPHER, "AES-256-CBC");
  return out;
}

}  // namespace

void must(bool ok, const char* what) {
  if (ok) return;
  std::fprintf(stderr, "cryptographic library failed: %s\n", what);
  ERR_print_errors_fp(stderr);
  std::abort();
}

const Algorithms& algorithms() {
  // Never freed: other threads and destructors may still use it while the process ends.
  static const Algorithms all = set_up();
  return all;
}

void drop_errors() { ERR_clear_error(); }

}  // namespace wattle::crypto
