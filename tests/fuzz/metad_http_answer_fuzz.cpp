// The registry's HTTP answers as metad reads them, cut at any place, and registry URLs.
#include "metad/core/http_answer.h"

#include "common/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kMaxBody = 4096;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto open = wattle::metad::parse_http_answer(text, false, kMaxBody);
  const auto ended = wattle::metad::parse_http_answer(text, true, kMaxBody);
  for (const auto* answer : {&open, &ended})
    if (*answer) WATTLE_CHECK((*answer)->body.size() <= kMaxBody);
  // What is complete while more may come does not change by the end of the stream.
  if (open) WATTLE_CHECK(ended && ended->status == open->status && ended->body == open->body);
  if (const auto url = wattle::metad::parse_registry_url(text)) {
    WATTLE_CHECK(url->port != 0);
    WATTLE_CHECK(!url->host.empty());
  }
  return 0;
}
