#include "metad/core/grammar.h"

#include <algorithm>

#include "common/base/hex.h"
#include "common/base/mutant.h"
#include "common/base/parse.h"
#include "common/proto/line.h"

namespace wattle::metad {
namespace {

constexpr std::size_t kAnswerBytes = 416;  // record 200 and credential 216
constexpr std::size_t kAnswerChars = 555;  // their base64 without its one '='
constexpr std::size_t kPartBytes = 1050;   // at most, of a Base64 field
constexpr std::size_t kMaxName = 64;       // a base32 address; names have at most 63

bool is_meta_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_';
         });
}

Result<Bytes> parse_key(std::string_view text) {
  if (text.size() == kAnswerChars) return parse_base64(std::string(text) + "=");
  if (text.size() == kAnswerChars + 1) return parse_base64(text);
  if (text.empty()) return Errc::BadSyntax;
  return parse_hex(text);
}

// No padding: a short padded word would read as key=value.
Result<Bytes> parse_unpadded(std::string_view text) {
  if (text.empty() || text.size() > kPartBytes / 3 * 4) return Errc::BadSyntax;
  std::string padded(text);
  padded.append((4 - padded.size() % 4) % 4, '=');
  return parse_base64(padded);
}

std::string print_unpadded(const Bytes& bytes) {
  std::string text = to_base64(bytes);
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::string print_key(const Bytes& bytes) {
  if (bytes.size() != kAnswerBytes) return to_hex(bytes);
  std::string text = to_base64(bytes);
  text.resize(kAnswerChars);
  return text;
}

Result<Value> parse_value(FieldKind kind, std::string_view word) {
  switch (kind) {
    case FieldKind::Name:
      if (!WATTLE_CHECKED(grammar_name, is_meta_name(word))) return Errc::BadValue;
      return Value(std::string(word));
    case FieldKind::Number:
      return Value(WATTLE_TRY(parse_decimal(word)));
    case FieldKind::Hex:
      return Value(WATTLE_TRY(parse_hex_number(word, 0xffffffff)));
    case FieldKind::HostPort:
      return Value(WATTLE_TRY(parse_host_port(word)));
    case FieldKind::Subnet:
      return Value(WATTLE_TRY(parse_subnet(word)));
    case FieldKind::Key:
      return Value(WATTLE_TRY(parse_key(word)));
    case FieldKind::Base64:
      return Value(WATTLE_TRY(parse_unpadded(word)));
    case FieldKind::Words:
      return Value(std::string(word));
  }
  return Errc::BadSyntax;
}

std::string hex_number(std::uint64_t value) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  do {
    out.insert(out.begin(), kDigits[value & 15]);
    value >>= 4;
  } while (value != 0);
  return out;
}

std::string print_value(FieldKind kind, const Value& value) {
  switch (kind) {
    case FieldKind::Name:
    case FieldKind::Words:
      return std::get<std::string>(value);
    case FieldKind::Number:
      return std::to_string(std::get<std::uint64_t>(value));
    case FieldKind::Hex:
      return hex_number(std::get<std::uint64_t>(value));
    case FieldKind::HostPort: {
      const auto& at = std::get<HostPort>(value);
      return at.endpoint ? at.endpoint->text() : "0:0";
    }
    case FieldKind::Subnet:
      return print_subnet(std::get<Subnet>(value));
    case FieldKind::Key:
      return print_key(std::get<Bytes>(value));
    case FieldKind::Base64:
      return print_unpadded(std::get<Bytes>(value));
  }
  return {};
}

}  // namespace

std::optional<std::string_view> Request::find(std::string_view key) const {
  for (const auto& [name, value] : keys)
    if (name == key) return value;
  return std::nullopt;
}

std::optional<std::uint64_t> Request::find_number(std::string_view key) const {
  const auto text_of = find(key);
  if (!text_of) return std::nullopt;
  const auto number_of = parse_decimal(*text_of);
  if (!number_of) return std::nullopt;
  return *number_of;
}

Result<HostPort> parse_host_port(std::string_view text) {
  if (text == "0:0") return HostPort{};
  if (text.find('.') != std::string_view::npos || text.starts_with('['))
    return HostPort{WATTLE_TRY(Endpoint::parse(text))};
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return Errc::BadSyntax;
  const std::uint64_t address = WATTLE_TRY(parse_hex_number(text.substr(0, colon), 0xffffffff));
  const std::uint64_t port = WATTLE_TRY(parse_decimal(text.substr(colon + 1), 65535));
  if (port == 0) return Errc::BadValue;
  Endpoint out;
  out.address = IpAddress::v4(
      {static_cast<std::uint8_t>(address >> 24), static_cast<std::uint8_t>(address >> 16),
       static_cast<std::uint8_t>(address >> 8), static_cast<std::uint8_t>(address)});
  out.port = static_cast<std::uint16_t>(port);
  return HostPort{out};
}

Result<Request> parse_request(std::string_view line) {
  const Line words = WATTLE_TRY(parse_line(line));
  if (words.words.empty()) return Errc::BadSyntax;
  const RequestRow* row = find_request(words.words[0]);
  if (row == nullptr) return Errc::NotFound;
  Request out;
  out.verb = row->verb;
  out.values.reserve(row->fields.size());
  std::size_t at = 1;
  for (const Field& field : row->fields) {
    if (at >= words.words.size()) return Errc::BadSyntax;
    if (field.kind == FieldKind::Words) {
      std::string rest(words.words[at++]);
      for (; at < words.words.size(); ++at) rest.append(" ").append(words.words[at]);
      out.values.push_back(Value(std::move(rest)));
      break;
    }
    out.values.push_back(WATTLE_TRY(parse_value(field.kind, words.words[at++])));
  }
  if (WATTLE_CHECKED(grammar_arity, at != words.words.size())) return Errc::BadSyntax;
  for (const auto& [key, value] : words.keys) out.keys.emplace_back(key, value);
  return out;
}

std::string print_request(const Request& request) {
  const RequestRow& row = row_of(request.verb);
  WATTLE_CHECK(request.values.size() == row.fields.size());
  std::string out = row.name;
  for (std::size_t i = 0; i < row.fields.size(); ++i)
    out.append(" ").append(print_value(row.fields[i].kind, request.values[i]));
  for (const auto& [key, value] : request.keys)
    out.append(" ").append(key).append("=").append(value);
  return out;
}

std::string info_line(std::string_view what,
                      const std::vector<std::pair<std::string_view, std::string>>& keys) {
  std::string out = "INFO ";
  out.append(what);
  for (const auto& [key, value] : keys) {
    out.append(" ").append(key).append("=");
    for (const char c : value) out.push_back(c > 0x20 && c < 0x7f ? c : '_');
  }
  return out;
}

}  // namespace wattle::metad
