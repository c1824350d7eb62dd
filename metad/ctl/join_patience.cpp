#include "metad/ctl/join_patience.h"

#include <utility>

namespace wattle::ctl {

namespace {

bool may_pass(const JoinVerdict& verdict) {
  const Exit exit = verdict.failure.exit;
  return !verdict.definite &&
         (exit == Exit::Unreachable || exit == Exit::Timeout || exit == Exit::Temporary);
}

}  // namespace

JoinPatience::Step JoinPatience::after(const JoinVerdict& verdict, Duration so_far) {
  Step step;
  const bool pending = verdict.failure.exit == Exit::NotJoined;
  step.again = pending || (waits_ && may_pass(verdict));
  if (!step.again) return step;
  step.pause = so_far < kSoon ? kPause : kLongPause;
  if (pending) {
    waits_ = true;
    if (!std::exchange(told_, true))
      step.say = "Waiting: " + verdict.failure.sentence + ". This host is " + address_ +
                 ". Ctrl-C does no harm: the same wattle join goes on.";
    else if (told_away_)
      step.say = "The registry answers again; still waiting.";
    told_away_ = false;
  } else if (!std::exchange(told_away_, true)) {
    step.say = "Still waiting, though " + verdict.failure.sentence;
  }
  return step;
}

}  // namespace wattle::ctl
