#include "common/base/parse_rate.h"

#include <string>

#include "common/base/parse.h"

namespace wattle {

Result<std::uint64_t> parse_rate(std::string_view text) {
  if (text.empty()) return Errc::BadSyntax;
  std::uint64_t unit = 1;
  switch (text.back()) {
    case 'k':
      unit = 1'000;
      break;
    case 'M':
      unit = 1'000'000;
      break;
    case 'G':
      unit = 1'000'000'000;
      break;
    default:
      break;
  }
  if (unit != 1) text.remove_suffix(1);
  const std::uint64_t count = WATTLE_TRY(parse_decimal(text, kLongestRate / unit));
  if (count == 0) return Errc::BadValue;
  return count * unit;
}

Result<std::uint64_t> parse_relay(std::string_view text) {
  if (text == "yes") return kRelayYes;
  if (text == "no") return std::uint64_t{0};
  if (const auto rate = parse_rate(text)) return *rate;
  return Error(Errc::Config, "relay '" + std::string(text) +
                                 "' is none of yes, no and a rate in bytes per second such as "
                                 "500k or 20M");
}

}  // namespace wattle
