#include "metad/core/http_answer.h"

#include <optional>

#include "common/base/parse.h"

namespace wattle::metad {
namespace {

bool same_header(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return false;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = line[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != name[i]) return false;
  }
  return true;
}

}  // namespace

Result<HttpAnswer> parse_http_answer(std::string_view received, bool ended, std::size_t max_body) {
  const std::size_t head_end = received.find("\r\n\r\n");
  if (head_end == std::string_view::npos) {
    if (received.size() > kMaxHttpHead) return Errc::Full;
    if (ended) return Errc::BadSyntax;
    return Errc::Again;
  }
  if (head_end > kMaxHttpHead) return Errc::Full;
  const std::string_view head = received.substr(0, head_end);
  const std::string_view body = received.substr(head_end + 4);
  if (!head.starts_with("HTTP/1.0 ") && !head.starts_with("HTTP/1.1 ")) return Errc::BadSyntax;
  HttpAnswer out;
  out.status = static_cast<int>(WATTLE_TRY(parse_decimal(head.substr(9, 3), 999)));
  std::optional<std::uint64_t> length;
  for (std::string_view line : split(head, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (same_header(line, "transfer-encoding")) return Errc::Unsupported;
    if (!same_header(line, "content-length")) continue;
    const std::uint64_t value = WATTLE_TRY(parse_decimal(trim(line.substr(15)), max_body));
    if (length && *length != value) return Errc::BadSyntax;
    length = value;
  }
  if (body.size() > max_body) return Errc::Full;
  if (length) {
    if (body.size() < *length) return ended ? Errc::Truncated : Errc::Again;
    out.body = body.substr(0, *length);
    return out;
  }
  if (!ended) return Errc::Again;
  out.body = body;
  return out;
}

Result<RegistryUrl> parse_registry_url(std::string_view url) {
  if (!url.starts_with("https://")) return Errc::BadSyntax;
  std::string_view rest = url.substr(8);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  RegistryUrl out;
  if (rest.starts_with('[')) {
    const std::size_t close = rest.find(']');
    if (close == std::string_view::npos) return Errc::BadSyntax;
    out.host = rest.substr(1, close - 1);
    rest.remove_prefix(close + 1);
  } else {
    const std::size_t colon = rest.find(':');
    out.host = rest.substr(0, colon);
    rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon);
  }
  if (out.host.empty() || out.host.find_first_of("/?#@") != std::string::npos)
    return Errc::BadSyntax;
  if (rest.empty()) {
    out.port = 443;
    return out;
  }
  if (!rest.starts_with(':')) return Errc::BadSyntax;
  out.port = static_cast<std::uint16_t>(WATTLE_TRY(parse_decimal(rest.substr(1), 65535)));
  if (out.port == 0) return Errc::BadValue;
  return out;
}

}  // namespace wattle::metad
