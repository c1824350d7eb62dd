// Invite URLs: what parses is what is built from it, up to the case of the base32 parts.
#include <algorithm>

#include "common/base/parse.h"
#include "common/proto/invite.h"

using namespace wattle;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view url = as_text({data, size});
  const auto invite = parse_invite(url);
  if (!invite) {
    WATTLE_CHECK(!invite.error().sentence.empty());
    return 0;
  }
  WATTLE_CHECK(is_network_name(invite->network) && invite->base.starts_with("https://"));
  const std::string again = build_invite(*invite);
  const auto same_letter = [](char a, char b) {
    return a == b || (b >= 'A' && b <= 'Z' && a == b - 'A' + 'a');
  };
  WATTLE_CHECK(again.size() == url.size() &&
               std::equal(again.begin(), again.end(), url.begin(), same_letter));
  return 0;
}
