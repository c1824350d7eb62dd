// The exit codes of `wattle` and what each means to a script (man/wattle.8 has the same table).
#pragma once

#include <cstdint>

namespace wattle::ctl {

enum class Exit : std::uint8_t {
  Ok = 0,
  General = 1,
  Usage = 2,
  NotRunning = 3,  // no daemon answers
  NotJoined = 4,   // this host is no member, or still waits
  Denied = 5,
  Unreachable = 6,
  Timeout = 7,
  TokenUsed = 10,
  TokenExpired = 11,
  TokenUnknown = 12,    // or its proof is wrong
  GenesisDiffers = 13,  // what answers is not the network of the invite
  ClockOff = 14,
  NoTun = 15,
  JoinedAlready = 16,
  AnswerWrong = 17,  // the registry's answer does not verify
  IdClash = 18,
  Temporary = 75,
  NotRoot = 77,
  Config = 78,
};

constexpr int code(Exit exit) { return static_cast<int>(exit); }

}  // namespace wattle::ctl
