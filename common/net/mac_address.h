// A 48-bit Ethernet address.
#pragma once

#include <string>
#include <string_view>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace wattle {

struct MacAddress {
  ByteArray<6> bytes{};

  auto operator<=>(const MacAddress&) const = default;
  bool is_multicast() const { return (bytes[0] & 1) != 0; }  // broadcast included
  bool is_broadcast() const { return *this == MacAddress{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}; }
  std::string text() const;  // 02:00:5e:10:00:01
  static Result<MacAddress> parse(std::string_view text);
};

}  // namespace wattle
