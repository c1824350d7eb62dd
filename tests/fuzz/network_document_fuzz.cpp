// The network document as it comes, and signed by our key so that mutations get behind the
// signature.
#include "common/proto/document_text.h"
#include "common/proto/labels.h"
#include "common/proto/network_document.h"
#include "tests/support/test_ca.h"

using namespace wattle;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const crypto::PrivateKey key = test_key(211);
  const std::string_view text = as_text({data, size});
  const NetworkId network{0xab, 1};
  static_cast<void>(parse_network_document(text, key.public_key(), network));
  std::string signed_text(text);
  add_signature(signed_text, kLabelDocument, key);
  if (const auto document = parse_network_document(signed_text, key.public_key(), network)) {
    const std::string again = build_network_document(*document, key);
    WATTLE_CHECK(again.starts_with(text) && again.substr(size).starts_with("signature "));
    for (std::size_t i = 1; i < document->revoked.size(); ++i)
      WATTLE_CHECK(document->revoked[i - 1].serial < document->revoked[i].serial);
  }
  return 0;
}
