#include "common/proto/document_text.h"

#include <algorithm>

#include "common/base/hex.h"
#include "common/base/mutant.h"

namespace wattle {
namespace {

constexpr std::string_view kSignature = "signature";

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
}

}  // namespace

void add_line(std::string& text, std::string_view key, std::string_view value) {
  WATTLE_CHECK(!key.empty() && !value.empty() && is_printable(key) && is_printable(value) &&
               key.find(' ') == std::string_view::npos);
  text.append(key).append(" ").append(value).append("\n");
}

void add_signature(std::string& text, std::string_view label, const crypto::PrivateKey& key) {
  const crypto::Signature signature = key.sign({as_bytes(label), as_bytes(text)});
  add_line(text, kSignature, to_base64(signature));
}

Error DocumentReader::error(Errc code, std::string_view what) const {
  std::string sentence(name_);
  sentence.append(" line ").append(std::to_string(line_)).append(": ").append(what);
  return {code, std::move(sentence)};
}

std::string_view DocumentReader::peek() const {
  const std::string_view rest = text_.substr(at_);
  return rest.substr(0, std::min(rest.find(' '), rest.find('\n')));
}

Result<std::string_view> DocumentReader::any() {
  ++line_;
  const std::string_view rest = text_.substr(at_);
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos)
    return error(Errc::Truncated, "the line is missing or cut off");
  const std::string_view line = rest.substr(0, end);
  at_ += end + 1;
  if (!WATTLE_CHECKED(document_printable, is_printable(line)))
    return error(Errc::BadSyntax, "a byte is not printable ASCII");
  const std::size_t blank = line.find(' ');
  if (blank == 0 || blank == std::string_view::npos || blank + 1 == line.size())
    return error(Errc::BadSyntax, "not a key, a blank and a value");
  return line.substr(blank + 1);
}

Result<std::string_view> DocumentReader::value(std::string_view key) {
  const std::string_view found = peek();
  const std::string_view value = WATTLE_TRY(any());
  if (found != key) return error(Errc::BadSyntax, "\"" + std::string(key) + "\" is expected here");
  return value;
}

Result<void> DocumentReader::signature(std::string_view label, ByteView public_key33) {
  const std::string_view body = text_.substr(0, at_);
  const std::string_view encoded = WATTLE_TRY(value(kSignature));
  const Bytes bytes = WATTLE_TRY(in_line(*this, parse_base64(encoded), "not base64"));
  if (WATTLE_CHECKED(document_trailing, at_ != text_.size()))
    return error(Errc::Trailing, "something follows the signature");
  if (WATTLE_CHECKED(document_signed,
                     crypto::verify(public_key33, {as_bytes(label), as_bytes(body)}, bytes) !=
                         crypto::Verdict::Good))
    return error(Errc::BadSignature, "the signature does not verify");
  return {};
}

}  // namespace wattle
