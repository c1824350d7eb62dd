// Bytes of a hexadecimal constant in a test.
#pragma once

#include "common/base/hex.h"

namespace wattle {

inline Bytes unhex(std::string_view text) { return WATTLE_MUST(parse_hex(text)); }
template <std::size_t N>
ByteArray<N> unhex_array(std::string_view text) {
  const Bytes bytes = unhex(text);
  WATTLE_CHECK(bytes.size() == N);
  return to_array<N>(bytes);
}

}  // namespace wattle
