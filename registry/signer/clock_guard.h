// Whether the host's clock can be right: certificates, expiry and the end of revocations hang on
// it. Held against the journal's newest entry at start and against the time that has passed since
// then. Pure.
#pragma once

#include <optional>
#include <string>

#include "common/base/time.h"

namespace wattle::signer {

class ClockGuard {
 public:
  static constexpr std::uint64_t kStep = 24 * 3600;  // seconds it may be off or be set by
  static constexpr std::uint64_t kSilence = 30ull * 24 * 3600;  // a signer may have been off

  // newest: the time of the journal's last entry.
  explicit ClockGuard(UnixTime newest) : newest_(newest) {}

  // No value: it is believed. Else a sentence; it is asked anew each time, so that a clock that is
  // set right is believed at once.
  std::optional<std::string> judge(UnixTime now, Instant mono);
  // Root says that it is right.
  void accept(UnixTime now, Instant mono);

 private:
  std::optional<std::string> doubt(UnixTime now, Instant mono) const;

  UnixTime newest_;
  struct Reading {
    UnixTime unix;
    Instant mono;
  };
  std::optional<Reading> believed_;  // the last one
};

}  // namespace wattle::signer
