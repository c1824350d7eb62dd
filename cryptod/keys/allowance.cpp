#include "cryptod/keys/allowance.h"

#include <algorithm>

namespace wattle::keys {

std::uint64_t take(Allowance& allowance, const Rate& rate, std::uint64_t now_ms) {
  const std::uint64_t full = rate.period_ms * rate.burst;
  const std::uint64_t elapsed = now_ms > allowance.at_ms ? now_ms - allowance.at_ms : 0;
  const std::uint64_t saved = std::min(allowance.credit_ms, full);
  const std::uint64_t credit = elapsed >= full - saved ? full : saved + elapsed;
  if (credit < rate.period_ms) {
    // Not stored: the next question counts from the same moment. Only a clock set back moves it.
    if (now_ms < allowance.at_ms) allowance.at_ms = now_ms;
    return rate.period_ms - credit;
  }
  allowance = {credit - rate.period_ms, now_ms};
  return 0;
}

}  // namespace wattle::keys
