#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include "common/base/mutant.h"
#include "common/crypto/digest.h"
#include "common/crypto/library.h"
#include "common/crypto/order.h"
#include "common/crypto/p256.h"

namespace wattle::crypto {
namespace {

using Group = std::unique_ptr<EC_GROUP, Free<EC_GROUP_free>>;
using Point = std::unique_ptr<EC_POINT, Free<EC_POINT_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Free<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Free<OSSL_PARAM_free>>;

BigNumber number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  must(EVP_PKEY_get_bn_param(key, name, &raw) == 1, "EVP_PKEY_get_bn_param");
  return BigNumber(raw);
}

PublicKey compress(const EVP_PKEY* key) {
  PublicKey out{};
  const BigNumber x = number_of(key, OSSL_PKEY_PARAM_EC_PUB_X);
  const BigNumber y = number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y);
  out[0] = BN_is_odd(y.get()) ? 3 : 2;
  must(BN_bn2binpad(x.get(), out.data() + 1, 32) == 32, "BN_bn2binpad");
  return out;
}

// The public point of a scalar, uncompressed (the form sticks to the key and to what is encoded).
ByteArray<65> point_of(const BIGNUM* scalar) {
  const Group group(EC_GROUP_new_by_curve_name_ex(nullptr, nullptr, NID_X9_62_prime256v1));
  must(group != nullptr, "EC_GROUP_new_by_curve_name_ex");
  const Point point(EC_POINT_new(group.get()));
  must(point != nullptr &&
           EC_POINT_mul(group.get(), point.get(), scalar, nullptr, nullptr, nullptr) == 1,
       "EC_POINT_mul");
  ByteArray<65> out{};
  must(EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, out.data(),
                          out.size(), nullptr) == out.size(),
       "EC_POINT_point2oct");
  return out;
}

KeyHandle key_of_scalar(ByteView scalar32) {
  const BigNumber scalar(BN_secure_new());
  must(scalar != nullptr && BN_bin2bn(scalar32.data(), 32, scalar.get()) != nullptr, "BN_bin2bn");
  BN_set_flags(scalar.get(), BN_FLG_CONSTTIME);
  const ByteArray<65> point = point_of(scalar.get());
  const ParameterBuilder builder(OSSL_PARAM_BLD_new());
  must(builder != nullptr &&
           OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1",
                                           0) == 1 &&
           OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                            point.size()) == 1 &&
           OSSL_PARAM_BLD_push_BN_pad(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, scalar.get(), 32) ==
               1,
       "OSSL_PARAM_BLD_push");
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* raw = nullptr;
  must(parameters != nullptr && context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1 &&
           EVP_PKEY_fromdata(context.get(), &raw, EVP_PKEY_KEYPAIR, parameters.get()) == 1,
       "EVP_PKEY_fromdata");
  return KeyHandle(raw);
}

// An encrypted key is refused; nobody is asked for a passphrase.
int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

PrivateKey::PrivateKey(KeyHandle key, const PublicKey& public_key)
    : key_(std::move(key)), public_(public_key) {}
PrivateKey::PrivateKey(PrivateKey&&) noexcept = default;
PrivateKey& PrivateKey::operator=(PrivateKey&&) noexcept = default;
PrivateKey::~PrivateKey() = default;

PrivateKey PrivateKey::generate() {
  algorithms();
  KeyHandle key(EVP_EC_gen("P-256"));
  must(key != nullptr, "EVP_EC_gen");
  const PublicKey point = compress(key.get());
  return {std::move(key), point};
}

Result<PrivateKey> PrivateKey::from_scalar(ByteView scalar32) {
  if (scalar32.size() != 32) return Errc::Truncated;
  if (!WATTLE_CHECKED(scalar_range, is_scalar(scalar32))) return Errc::BadValue;
  algorithms();
  KeyHandle key = key_of_scalar(scalar32);
  const PublicKey point = compress(key.get());
  return PrivateKey(std::move(key), point);
}

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
  if (pem.size() > 64 * 1024) return Error(Errc::Full, "the key file is longer than 64 KiB");
  algorithms();
  const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  must(memory != nullptr, "BIO_new_mem_buf");
  const KeyHandle key(PEM_read_bio_PrivateKey(memory.get(), nullptr, no_passphrase, nullptr));
  drop_errors();
  if (key == nullptr) return Error(Errc::BadSyntax, "no unencrypted private key in PEM form");
  char group[32] = {};
  if (EVP_PKEY_is_a(key.get(), "EC") != 1 ||
      EVP_PKEY_get_group_name(key.get(), group, sizeof group, nullptr) != 1 ||
      std::string_view(group) != "prime256v1") {
    drop_errors();
    return Error(Errc::BadValue, "the private key is not one of curve P-256");
  }
  BIGNUM* raw = nullptr;
  const bool present = EVP_PKEY_get_bn_param(key.get(), OSSL_PKEY_PARAM_PRIV_KEY, &raw) == 1;
  const BigNumber number(raw);
  Secret<32> scalar;
  if (!present || BN_bn2binpad(number.get(), scalar.mutable_bytes().data(), 32) != 32) {
    drop_errors();
    return Error(Errc::BadValue, "the key in PEM form has no private half");
  }
  return from_scalar(scalar.view());  // one form for all keys, whatever the file's encoding was
}

std::string PrivateKey::to_pem() const {
  const Memory memory(BIO_new(BIO_s_secmem()));
  must(memory != nullptr && PEM_write_bio_PKCS8PrivateKey(memory.get(), key_.get(), nullptr,
                                                          nullptr, 0, nullptr, nullptr) == 1,
       "PEM_write_bio_PKCS8PrivateKey");
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

Secret<32> PrivateKey::scalar() const {
  const BigNumber number = number_of(key_.get(), OSSL_PKEY_PARAM_PRIV_KEY);
  Secret<32> out;
  must(BN_bn2binpad(number.get(), out.mutable_bytes().data(), 32) == 32, "BN_bn2binpad");
  return out;
}

Signature PrivateKey::sign(std::initializer_list<ByteView> message) const {
  const Hash digest = sha256(message);
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
  ByteArray<80> der{};  // 72 at most
  std::size_t size = der.size();
  must(context != nullptr && EVP_PKEY_sign_init(context.get()) == 1 &&
           EVP_PKEY_sign(context.get(), der.data(), &size, digest.data(), digest.size()) == 1,
       "EVP_PKEY_sign");
  const std::uint8_t* at = der.data();
  const SignaturePair pair(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)));
  must(pair != nullptr, "d2i_ECDSA_SIG");
  Signature out{};
  must(BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out.data(), 32) == 32 &&
           BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out.data() + 32, 32) == 32,
       "BN_bn2binpad");
  if (is_high(ByteView(out).last(32))) {  // (r, n - s) is as good: take the low one
    const BigNumber order(BN_bin2bn(kOrder.data(), 32, nullptr));
    const BigNumber low(BN_new());
    must(order != nullptr && low != nullptr &&
             BN_sub(low.get(), order.get(), ECDSA_SIG_get0_s(pair.get())) == 1 &&
             BN_bn2binpad(low.get(), out.data() + 32, 32) == 32,
         "low s");
  }
  return out;
}

Result<Secret<32>> PrivateKey::dh(ByteView peer33) const {
  const KeyHandle peer = WATTLE_TRY(public_key_handle(peer33));
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
  // The 0 skips a second full validation: the cofactor is 1 and the point is known to be on the
  // curve.
  must(context != nullptr && EVP_PKEY_derive_init(context.get()) == 1 &&
           EVP_PKEY_derive_set_peer_ex(context.get(), peer.get(), 0) == 1,
       "EVP_PKEY_derive_set_peer_ex");
  Secret<32> out;
  std::size_t size = out.size();
  must(EVP_PKEY_derive(context.get(), out.mutable_bytes().data(), &size) == 1 && size == 32,
       "EVP_PKEY_derive");
  return out;
}

}  // namespace wattle::crypto
