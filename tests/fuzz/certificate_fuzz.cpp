// Member certificates as DER: as they come, and signed again by the CA so that mutations reach
// chain, RFC 3779 and profile. What passes keeps the profile's promises.
#include "common/base/parse.h"
#include "common/crypto/certificate_parts.h"
#include "tests/support/test_ca.h"

using namespace wattle;

namespace {

void check(const TestCa& ca, ByteView der) {
  const auto verified = crypto::verify_certificate(der, ca.der, kTestNow);
  if (!verified) return;
  const crypto::MemberCertificate& says = verified->says;
  WATTLE_CHECK(crypto::is_point(verified->public_key));
  WATTLE_CHECK(is_node_name(says.dns_name) && says.anode_text.size() == 64);
  WATTLE_CHECK(!says.common_name.empty());
  WATTLE_CHECK(ca.six.contains(says.prefix6.address) && says.prefix6.length >= ca.six.length);
  WATTLE_CHECK(ca.four.contains(says.address4.address) && says.address4.length >= ca.four.length);
  WATTLE_CHECK(says.not_before <= kTestNow && kTestNow <= says.not_after);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const TestCa ca;
  const ByteView der(data, size);
  check(ca, der);
  static_cast<void>(crypto::verify_certificate(ca.der, der, kTestNow));
  const crypto::X509Handle certificate = crypto::read_certificate(der);
  if (certificate == nullptr) return 0;
  if (X509_sign(certificate.get(), ca.key.handle(), crypto::algorithms().sha256) > 0)
    check(ca, crypto::to_der(certificate.get()));
  crypto::drop_errors();
  static_cast<void>(crypto::pem_to_der(as_text(der), "CERTIFICATE"));
  return 0;
}
