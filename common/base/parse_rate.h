// Rates in bytes per second, as an administrator writes them, and the value of `relay =`.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/result.h"

namespace wattle {

inline constexpr std::uint64_t kLongestRate = 1'000'000'000'000;  // 1000G
inline constexpr std::uint64_t kRelayYes = 1'250'000'000;         // per source: ten gigabits

// "800000", "500k", "20M", "1G": bytes per second, decimal, 1 to kLongestRate. BadSyntax, BadValue.
Result<std::uint64_t> parse_rate(std::string_view text);

// `relay = yes|no|RATE`: bytes per second that each source may have relayed; 0: none, kRelayYes for
// yes. Errc::Config with one sentence for anything else.
Result<std::uint64_t> parse_relay(std::string_view text);

}  // namespace wattle
