// Certificate requests as DER: as they come, and signed again with a key of ours.
#include "common/crypto/certificate_parts.h"
#include "tests/support/test_ca.h"

using namespace wattle;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TestCa ca;
  static const crypto::PrivateKey key = test_key(1);
  const ByteView der(data, size);
  if (const auto subject = crypto::check_csr(der)) WATTLE_CHECK(crypto::is_point(*subject));
  const crypto::RequestHandle request = crypto::read_request(der);
  if (request == nullptr) return 0;
  if (X509_REQ_set_pubkey(request.get(), key.handle()) == 1 &&
      X509_REQ_sign(request.get(), key.handle(), crypto::algorithms().sha256) > 0) {
    const Bytes again = crypto::to_der(request.get());
    if (crypto::check_csr(again))  // what the signer takes, it can issue for
      WATTLE_CHECK(crypto::issue_certificate(ca.key, ca.der, ca.member(), again).has_value());
  }
  crypto::drop_errors();
  return 0;
}
