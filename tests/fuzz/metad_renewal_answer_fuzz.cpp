// The registry's answer to a renewal, and the state file: any bytes; nothing verifies, and refusals
// are printable.
#include <algorithm>

#include "common/base/check.h"
#include "metad/core/renewal_message.h"

using namespace wattle;         // NOLINT
using namespace wattle::metad;  // NOLINT

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto judge = [](const Membership& membership) {
    WATTLE_CHECK(!judge_membership(membership, {}, {}).has_value());
  };
  if (const auto answer = parse_renewal_answer(text)) judge(answer->membership);
  if (const auto membership = parse_membership(text)) {
    judge(*membership);
    const auto again = parse_membership(print_membership(*membership));
    WATTLE_CHECK(again.has_value() && again->certificate == membership->certificate);
  }
  const std::string refusal = renewal_refusal(403, text);
  WATTLE_CHECK(refusal.size() <= 200);
  WATTLE_CHECK(
      std::all_of(refusal.begin(), refusal.end(), [](char c) { return c >= 0x20 && c <= 0x7e; }));
  return 0;
}
