// What a verb tells the user when it cannot go on: one clear sentence and the exit code that goes
// with it.
#pragma once

#include <string>
#include <utility>

#include "common/base/result.h"
#include "metad/ctl/exit_code.h"

namespace wattle::ctl {

struct Failure {
  Exit exit = Exit::General;
  std::string sentence;
};

// Success or a Failure.
class [[nodiscard]] Outcome {
 public:
  Outcome() = default;
  Outcome(Failure failure)
      : failure_(std::move(failure)) {}  // NOLINT: `return Failure{...}` is the point
  bool ok() const { return failure_.exit == Exit::Ok; }
  const Failure& failure() const { return failure_; }

 private:
  Failure failure_{Exit::Ok, {}};
};

// A library error as a failure of the general kind.
inline Failure general(const Error& error) { return {Exit::General, error.text()}; }

}  // namespace wattle::ctl
