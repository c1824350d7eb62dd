#include "common/base/mutant.h"
#include "common/crypto/certificate.h"
#include "common/crypto/certificate_parts.h"

namespace wattle::crypto {

Result<Bytes> make_csr(const PrivateKey& key) {
  const RequestHandle request(X509_REQ_new());
  must(request != nullptr && X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
           X509_REQ_set_pubkey(request.get(), key.handle()) == 1,
       "X509_REQ_set_pubkey");
  set_common_name(X509_REQ_get_subject_name(request.get()), "wattle");
  must(X509_REQ_sign(request.get(), key.handle(), algorithms().sha256) > 0, "X509_REQ_sign");
  return to_der(request.get());
}

Result<PublicKey> check_csr(ByteView csr_der) {
  const RequestHandle request = read_request(csr_der);
  if (request == nullptr) return Error(Errc::BadSyntax, "not a certificate request in DER form");
  const auto key = key_of_spki(X509_REQ_get_X509_PUBKEY(request.get()));
  if (!key) return Error(key.error().code, "the certificate request's key is not one of P-256");
  if (WATTLE_CHECKED(csr_digest,
                     X509_REQ_get_signature_nid(request.get()) != NID_ecdsa_with_SHA256))
    return Error(Errc::BadValue, "the certificate request is not signed by ECDSA with SHA-256");
  const KeyHandle handle = WATTLE_TRY(public_key_handle(*key));
  const bool good = X509_REQ_verify_ex(request.get(), handle.get(), nullptr, nullptr) == 1;
  drop_errors();
  if (!WATTLE_CHECKED(csr_signature, good))
    return Error(Errc::BadSignature, "the certificate request's own signature is wrong");
  return key;
}

}  // namespace wattle::crypto
