// Every parser of metad's core on foreign text: lines (each must survive print and parse), origin
// lines, HTTP answers, registry URLs.
#include "common/base/check.h"
#include "metad/core/grammar.h"
#include "metad/core/http_answer.h"
#include "metad/core/origin_line.h"

using namespace wattle;         // NOLINT
using namespace wattle::metad;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const auto request = parse_request(text.substr(at, end - at));
    at = end + 1;
    if (!request) continue;
    const auto again = parse_request(print_request(*request));
    // Printing names may take a line that was just short enough over the limit.
    if (again)
      WATTLE_CHECK(*again == *request);
    else
      WATTLE_CHECK(again.error().code == Errc::Full);
    if (request->verb != Verb::AddHost) continue;
    const auto origin = parse_origin(*request, NetworkId{});
    if (!origin) continue;
    const auto same = parse_origin(print_origin(*origin), NetworkId{});
    WATTLE_CHECK(same.has_value() && *same == *origin);
    (void)verify_origin(origin->record, origin->signature);
  }
  for (const bool ended : {false, true}) {
    const auto answer = parse_http_answer(text, ended, 1000);
    if (answer) WATTLE_CHECK(answer->body.size() <= 1000);
  }
  (void)parse_registry_url(text);
  return 0;
}
