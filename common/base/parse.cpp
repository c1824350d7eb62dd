#include "common/base/parse.h"

#include <algorithm>
#include <charconv>

namespace wattle {
namespace {

Result<std::uint64_t> parse_number(std::string_view text, int base, std::uint64_t max) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || error != std::errc{} || stop != end) return Errc::BadSyntax;
  if (value > max) return Errc::BadValue;
  return value;
}

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

Result<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max) {
  return parse_number(text, 10, max);
}

Result<std::uint64_t> parse_hex_number(std::string_view text, std::uint64_t max) {
  return parse_number(text, 16, max);
}

Result<std::uint64_t> parse_seconds(std::string_view text) {
  if (text.empty()) return Errc::BadSyntax;
  std::uint64_t unit = 1;
  switch (text.back()) {
    case 's':
      unit = 1;
      break;
    case 'm':
      unit = 60;
      break;
    case 'h':
      unit = 3600;
      break;
    case 'd':
      unit = 86400;
      break;
    default:
      return parse_decimal(text, UINT32_MAX);
  }
  const std::uint64_t count =
      WATTLE_TRY(parse_decimal(text.substr(0, text.size() - 1), UINT32_MAX));
  return count * unit;
}

std::string_view trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const std::size_t at = text.find(separator);
    pieces.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return pieces;
    text.remove_prefix(at + 1);
  }
}

bool is_network_name(std::string_view text) {
  return !text.empty() && text.size() <= 12 &&
         std::all_of(text.begin(), text.end(), is_lower_or_digit);
}

bool is_node_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), [](char c) {
    return is_lower_or_digit(c) || c == '-';
  });
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, 60)) out += c >= ' ' && c <= '~' ? c : '?';
  return out + (text.size() > 60 ? "...\"" : "\"");
}

}  // namespace wattle
