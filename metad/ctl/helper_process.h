// Runs one of the two helpers of `wattle join`: as nobody, without environment, descriptors or new
// privileges; message in, message out, killed at the deadline. The helper closes its own sandbox.
#pragma once

#include <string>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/time.h"

namespace wattle::ctl {

struct Helper {
  const char* program;
  bool has_network;  // else in a network namespace of its own, which is empty
  Duration limit;
  std::string folder{};  // of the program; empty: beside our own executable
};

// The body of its one answer. Errors are sentences: Timeout, System, or Closed when it ended
// without an answer. Root only.
Result<Bytes> run_helper(const Helper& helper, ByteView body);

}  // namespace wattle::ctl
