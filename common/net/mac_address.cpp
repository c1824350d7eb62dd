#include "common/net/mac_address.h"

#include "common/base/hex.h"

namespace wattle {

std::string MacAddress::text() const {
  const std::string hex = to_hex(bytes);
  std::string out;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    if (i != 0) out.push_back(':');
    out.append(hex, i, 2);
  }
  return out;
}

Result<MacAddress> MacAddress::parse(std::string_view text) {
  if (text.size() != 17) return Errc::BadSyntax;
  std::string hex;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % 3 != 2) {
      hex.push_back(text[i]);
    } else if (text[i] != ':') {
      return Errc::BadSyntax;
    }
  }
  return MacAddress{to_array<6>(WATTLE_TRY(parse_hex(hex)))};
}

}  // namespace wattle
