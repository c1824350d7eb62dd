// Genesis as it comes, and the same text signed by our key so that mutations get behind the
// signature.
#include "common/proto/document_text.h"
#include "common/proto/genesis.h"
#include "common/proto/labels.h"
#include "tests/support/test_ca.h"

using namespace wattle;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const crypto::PrivateKey key = test_key(211);
  const std::string_view text = as_text({data, size});
  static_cast<void>(parse_genesis(text));
  std::string signed_text(text);
  add_signature(signed_text, kLabelGenesis, key);
  if (const auto genesis = parse_genesis(signed_text)) {
    const std::string again = build_genesis(*genesis, key);
    WATTLE_CHECK(again.starts_with(text) && again.substr(size).starts_with("signature "));
  }
  return 0;
}
