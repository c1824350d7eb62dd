#include "common/base/hex.h"

namespace wattle {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";

// Packs the values of `text` in `alphabet`, `bits` each; left-over bits must be zero and fewer
// than one digit.
Result<Bytes> unpack_digits(std::string_view text, std::string_view alphabet, unsigned bits,
                            bool fold_case) {
  Bytes out;
  out.reserve(text.size() * bits / 8);
  std::uint32_t pending = 0;
  unsigned held = 0;
  for (char c : text) {
    if (fold_case && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) return Errc::BadSyntax;
    pending = (pending << bits | static_cast<std::uint32_t>(value)) & 0xffff;
    held += bits;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<std::uint8_t>(pending >> held));
    }
  }
  if (held >= bits || (pending & ((1u << held) - 1)) != 0) return Errc::BadSyntax;
  return out;
}

std::string pack_digits(ByteView bytes, std::string_view alphabet, unsigned bits) {
  std::string out;
  out.reserve((bytes.size() * 8 + bits - 1) / bits);
  std::uint32_t pending = 0;
  unsigned held = 0;
  for (const std::uint8_t byte : bytes) {
    pending = (pending << 8 | byte) & 0xffff;
    held += 8;
    while (held >= bits) {
      held -= bits;
      out.push_back(alphabet[pending >> held & ((1u << bits) - 1)]);
    }
  }
  if (held != 0) out.push_back(alphabet[pending << (bits - held) & ((1u << bits) - 1)]);
  return out;
}

}  // namespace

std::string to_hex(ByteView bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    out.push_back(digits[byte >> 4]);
    out.push_back(digits[byte & 15]);
  }
  return out;
}

Result<Bytes> parse_hex(std::string_view text) {
  if (text.size() % 2 != 0) return Errc::BadSyntax;
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return Errc::BadSyntax;
    out.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return out;
}

std::string to_base64(ByteView bytes) {
  std::string out = pack_digits(bytes, kBase64, 6);
  while (out.size() % 4 != 0) out.push_back('=');
  return out;
}

Result<Bytes> parse_base64(std::string_view text) {
  if (text.size() % 4 != 0) return Errc::BadSyntax;
  std::size_t padding = 0;
  while (padding < 2 && !text.empty() && text.back() == '=') {
    text.remove_suffix(1);
    ++padding;
  }
  return unpack_digits(text, kBase64, 6, false);
}

std::string to_base32(ByteView bytes) { return pack_digits(bytes, kBase32, 5); }

Result<Bytes> parse_base32(std::string_view text) { return unpack_digits(text, kBase32, 5, true); }

}  // namespace wattle
