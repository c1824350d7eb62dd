// Hexadecimal, base64 and base32: what parses is what its own encoder writes; what is encoded
// parses.
#include <algorithm>

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/base/parse.h"

using namespace wattle;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView bytes(data, size);
  const std::string_view text = as_text(bytes);
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  if (const auto parsed = parse_hex(text)) WATTLE_CHECK(to_hex(*parsed) == lower);
  if (const auto parsed = parse_base64(text)) WATTLE_CHECK(to_base64(*parsed) == text);
  if (const auto parsed = parse_base32(text)) WATTLE_CHECK(to_base32(*parsed) == lower);
  WATTLE_CHECK(equal(WATTLE_MUST(parse_hex(to_hex(bytes))), bytes));
  WATTLE_CHECK(equal(WATTLE_MUST(parse_base64(to_base64(bytes))), bytes));
  WATTLE_CHECK(equal(WATTLE_MUST(parse_base32(to_base32(bytes))), bytes));
  if (const auto number = parse_decimal(text, 1000)) WATTLE_CHECK(*number <= 1000);
  static_cast<void>(parse_seconds(text));
  return 0;
}
