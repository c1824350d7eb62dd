// What the registry answers, as far as metad needs it: HTTP/1.0 or 1.1 status line, headers, body
// by Content-Length or until the end. No chunks (we ask with HTTP/1.0), no redirects. Pure.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

namespace wattle::metad {

struct HttpAnswer {
  int status = 0;
  std::string body;
};

inline constexpr std::size_t kMaxHttpHead = 8 * 1024;

// `ended`: nothing more will come. Again: more is needed. BadSyntax: not HTTP. Full: over max_body.
Result<HttpAnswer> parse_http_answer(std::string_view received, bool ended, std::size_t max_body);

// https://HOST:PORT of a literal address (IPv6 in brackets); BadSyntax otherwise.
struct RegistryUrl {
  std::string host;  // without brackets
  std::uint16_t port = 0;
  bool operator==(const RegistryUrl&) const = default;
};
Result<RegistryUrl> parse_registry_url(std::string_view url);

}  // namespace wattle::metad
