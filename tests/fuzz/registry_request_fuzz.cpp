// What a stranger sends over HTTPS: a path, then (after the first line end) a body.
#include "registry/core/api.h"
#include "registry/core/join_request.h"
#include "registry/core/origin_check.h"

using namespace wattle;
using namespace wattle::registry;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(ByteView(data, size));
  const std::string_view path = text.substr(0, text.find('\n'));
  const std::string_view body = path.size() == text.size() ? "" : text.substr(path.size() + 1);
  for (const Method method : {Method::Get, Method::Post, Method::Other})
    static_cast<void>(route(method, path, "home"));
  if (const auto after = document_after(path); !after)
    static_cast<void>(error_answer(Fault::BadRequest, after.error().text()));
  if (const auto renewal = parse_renew_request(body)) {
    WATTLE_CHECK(!renewal->csr.empty());
    static_cast<void>(verify_enrolment(claim_of(*renewal, NetworkId{}), renewal->signature));
  }
  const auto join = parse_join_request(body);
  if (join) WATTLE_CHECK(!join->csr.empty());
  if (!join) static_cast<void>(error_answer(Fault::BadRequest, join.error().text()));
  const auto post = parse_origin_post(body);
  if (!post) return 0;
  const auto record = open_origin(*post, NetworkId{});
  if (!record) return 0;
  StoredMember member;
  member.address = record->address;
  member.name = record->name;
  static_cast<void>(check_origin(*record, *post, member).has_value());
  return 0;
}
