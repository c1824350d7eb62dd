#include <algorithm>

#include "common/base/mutant.h"
#include "common/crypto/digest.h"
#include "common/crypto/library.h"
#include "common/crypto/order.h"
#include "common/crypto/p256.h"

namespace wattle::crypto {
namespace {

// The DER form that OpenSSL verifies: SEQUENCE of two INTEGERs.
Bytes signature_to_der(ByteView r, ByteView s) {
  const SignaturePair pair(ECDSA_SIG_new());
  BigNumber r_number(BN_bin2bn(r.data(), 32, nullptr));
  BigNumber s_number(BN_bin2bn(s.data(), 32, nullptr));
  must(pair != nullptr && r_number != nullptr && s_number != nullptr &&
           ECDSA_SIG_set0(pair.get(), r_number.get(), s_number.get()) == 1,
       "ECDSA_SIG_set0");
  static_cast<void>(r_number.release());
  static_cast<void>(s_number.release());
  const int size = i2d_ECDSA_SIG(pair.get(), nullptr);
  must(size > 0, "i2d_ECDSA_SIG");
  Bytes der(static_cast<std::size_t>(size));
  std::uint8_t* at = der.data();
  i2d_ECDSA_SIG(pair.get(), &at);
  return der;
}

}  // namespace

Verdict verify(ByteView public_key33, std::initializer_list<ByteView> message,
               ByteView signature64) {
  if (signature64.size() != 64) return Verdict::OutOfRange;
  const ByteView r = signature64.first(32);
  const ByteView s = signature64.last(32);
  if (WATTLE_CHECKED(signature_range, !is_scalar(r) || !is_scalar(s))) return Verdict::OutOfRange;
  if (WATTLE_CHECKED(signature_low_s, is_high(s))) return Verdict::HighS;
  const auto key = public_key_handle(public_key33);
  if (!key) return Verdict::BadPoint;

  const Hash digest = sha256(message);
  const Bytes der = signature_to_der(r, s);
  const KeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, key->get(), nullptr));
  must(context != nullptr && EVP_PKEY_verify_init(context.get()) == 1, "EVP_PKEY_verify_init");
  if (WATTLE_CHECKED(signature_verify, EVP_PKEY_verify(context.get(), der.data(), der.size(),
                                                       digest.data(), digest.size()) == 1))
    return Verdict::Good;
  drop_errors();
  return Verdict::Wrong;
}

Verdict verify(ByteView public_key33, ByteView message, ByteView signature64) {
  return verify(public_key33, {message}, signature64);
}

}  // namespace wattle::crypto
