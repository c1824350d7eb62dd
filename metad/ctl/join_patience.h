// How `wattle join` waits for approval: when it asks again, and what it says meanwhile. Pure.
#pragma once

#include <string>

#include "common/base/time.h"
#include "metad/ctl/join_verdict.h"

namespace wattle::ctl {

class JoinPatience {
 public:
  static constexpr Duration kPause = std::chrono::seconds(3);
  static constexpr Duration kLongPause = std::chrono::seconds(15);  // after kSoon
  static constexpr Duration kSoon = std::chrono::minutes(10);

  // `waited_before`: an earlier run of this join was told to wait. `address`: this host's own, for
  // the administrator to compare.
  JoinPatience(bool waited_before, std::string address)
      : waits_(waited_before), address_(std::move(address)) {}

  struct Step {
    bool again = false;  // else the verdict stands
    Duration pause{};
    std::string say;  // a line, or nothing
  };
  // The registry's answer, `so_far` after the join was begun. A registry or signer that is away
  // ends a join, but not one that waits.
  Step after(const JoinVerdict& verdict, Duration so_far);

 private:
  bool waits_;
  bool told_ = false, told_away_ = false;
  std::string address_;
};

}  // namespace wattle::ctl
