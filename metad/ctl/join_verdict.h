// What the helpers' answers mean for the user: one sentence and an exit code for each way in which
// a join can end early. Pure.
#pragma once

#include "metad/ctl/check_protocol.h"
#include "metad/ctl/failure.h"
#include "metad/ctl/fetch_protocol.h"

namespace wattle::ctl {

struct JoinVerdict {
  Failure failure{Exit::Ok, {}};  // Exit::Ok: go on; NotJoined: the join must be approved first
  bool definite = false;          // the pending folder is of no further use
};

inline constexpr std::uint64_t kMostClockDifference = 120;  // seconds

// Also compares the registry's clock with ours.
JoinVerdict judge_fetch(const FetchAnswer& answer, const std::string& base,
                        const std::string& network, UnixTime now);
JoinVerdict judge_check(const CheckAnswer& answer, const std::string& network, UnixTime now);

}  // namespace wattle::ctl
