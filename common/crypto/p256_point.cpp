// Public keys: the format first, then OpenSSL (security.md 2.5.5: EVP_PKEY_fromdata itself would
// take the infinity encoding and hybrid points).
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "common/crypto/library.h"
#include "common/crypto/p256.h"

namespace wattle::crypto {
namespace {

KeyHandle point_handle(ByteView point) {
  if (point.size() != 33 || (point[0] != 2 && point[0] != 3)) return nullptr;
  algorithms();
  const KeyContext builder(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  must(builder != nullptr && EVP_PKEY_fromdata_init(builder.get()) == 1, "EVP_PKEY_fromdata_init");
  char group[] = "prime256v1";
  PublicKey copy = to_array<33>(point);
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, copy.data(), copy.size()),
      OSSL_PARAM_construct_end()};
  EVP_PKEY* raw = nullptr;
  const bool made = EVP_PKEY_fromdata(builder.get(), &raw, EVP_PKEY_PUBLIC_KEY, parameters) == 1;
  KeyHandle key(raw);
  if (!made || key == nullptr) {
    drop_errors();
    return nullptr;
  }
  const KeyContext checker(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr));
  must(checker != nullptr, "EVP_PKEY_CTX_new_from_pkey");
  if (EVP_PKEY_public_check_quick(checker.get()) != 1) {
    drop_errors();
    return nullptr;
  }
  return key;
}

}  // namespace

void FreeKey::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

bool is_point(ByteView point) { return point_handle(point) != nullptr; }

Result<KeyHandle> public_key_handle(ByteView public_key33) {
  KeyHandle key = point_handle(public_key33);
  if (key == nullptr) return Errc::BadPoint;
  // The form it came in would stick to it; certificates carry the uncompressed one.
  must(EVP_PKEY_set_utf8_string_param(key.get(), OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT,
                                      OSSL_PKEY_EC_POINT_CONVERSION_FORMAT_UNCOMPRESSED) == 1,
       "EVP_PKEY_set_utf8_string_param");
  return key;
}

}  // namespace wattle::crypto
