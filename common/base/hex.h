// Text encodings, strict: lower-case output, any malformed input is BadSyntax, nothing is skipped.
#pragma once

#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace wattle {

std::string to_hex(ByteView bytes);
Result<Bytes> parse_hex(std::string_view text);  // even length; accepts upper case

// RFC 4648 base64 with padding (standard alphabet).
std::string to_base64(ByteView bytes);
Result<Bytes> parse_base64(std::string_view text);

// RFC 4648 base32 alphabet in lower case, no padding (protocols.md 4.4); decoding ignores case and
// refuses non-zero bits after the last whole byte.
std::string to_base32(ByteView bytes);
Result<Bytes> parse_base32(std::string_view text);

}  // namespace wattle
