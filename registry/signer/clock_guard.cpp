#include "registry/signer/clock_guard.h"

#include "common/base/mutant.h"

namespace wattle::signer {
namespace {

std::string days(std::uint64_t seconds) { return std::to_string(seconds / 86400) + " days"; }

constexpr const char* kHow = ": set it right, or, if it is right, say wattle-registry accept-clock";

}  // namespace

std::optional<std::string> ClockGuard::judge(UnixTime now, Instant mono) {
  auto why = doubt(now, mono);
  if (!why) believed_ = Reading{now, mono};
  return why;
}

void ClockGuard::accept(UnixTime now, Instant mono) {
  newest_ = now;
  believed_ = Reading{now, mono};
}

std::optional<std::string> ClockGuard::doubt(UnixTime now, Instant mono) const {
  if (!believed_) {
    if (!WATTLE_CHECKED(clock_behind_journal, now.seconds + kStep >= newest_.seconds))
      return "this host's clock is " + days(newest_.seconds - now.seconds) +
             " behind the newest entry of the signer's journal" + kHow;
    if (!WATTLE_CHECKED(clock_ahead_of_journal, now.seconds <= newest_.seconds + kSilence))
      return "this host's clock is " + days(now.seconds - newest_.seconds) +
             " ahead of the newest entry of the signer's journal" + kHow;
    return std::nullopt;
  }
  const auto passed = std::chrono::duration_cast<std::chrono::seconds>(mono - believed_->mono);
  const std::uint64_t expected =
      believed_->unix.seconds + static_cast<std::uint64_t>(passed.count());
  const bool back = now.seconds < expected;
  const std::uint64_t off = back ? expected - now.seconds : now.seconds - expected;
  if (!WATTLE_CHECKED(clock_jump, off <= kStep))
    return "this host's clock jumped by " + days(off) + (back ? " back" : " ahead") + kHow;
  return std::nullopt;
}

}  // namespace wattle::signer
