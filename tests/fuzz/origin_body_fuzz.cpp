// Origin records: what parses is what is built from it, and it verifies once its owner signed it.
#include "common/base/parse.h"
#include "common/proto/origin_record.h"
#include "tests/support/test_ca.h"

using namespace wattle;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const crypto::PrivateKey identity = test_key(1);
  const ByteView body(data, size);
  const auto record = parse_origin_body(body);
  if (!record) return 0;
  WATTLE_CHECK(equal(build_origin_body(*record), body));
  WATTLE_CHECK(is_node_name(record->name) && record->endpoints.size() <= kMaxEndpoints);
  const bool ours = equal(record->address.public_key(), identity.public_key());
  WATTLE_CHECK(verify_origin(*record, sign_origin(*record, identity)) == ours);
  return 0;
}
