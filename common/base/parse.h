// Strict text to number: digits only (no sign, no blank, no locale), whole input, range checked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace wattle {

Result<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max = UINT64_MAX);
Result<std::uint64_t> parse_hex_number(std::string_view text, std::uint64_t max = UINT64_MAX);

// A duration in seconds: "90", "90s", "15m", "24h", "30d".
Result<std::uint64_t> parse_seconds(std::string_view text);

// Foreign text inside a sentence: in quotes, printable, cut after 60 characters.
std::string quoted(std::string_view text);

std::string_view trim(std::string_view text);  // blanks and tabs at both ends
// Pieces between separators; "a,,b" gives three. Views into text.
std::vector<std::string_view> split(std::string_view text, char separator);

// A network name: [a-z0-9]{1,12}. A node name: [a-z0-9-]{1,63}.
bool is_network_name(std::string_view text);
bool is_node_name(std::string_view text);

}  // namespace wattle
