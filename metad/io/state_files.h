// metad's state folder: each file is written whole or not at all. What cannot be written (a full or
// read-only disk) is kept, the newest text of each file, and tried again until it is.
#pragma once

#include <map>
#include <string>

#include "common/base/result.h"
#include "common/os/event_loop.h"
#include "common/os/log.h"

namespace wattle::metad {

class StateFiles {
 public:
  static constexpr Duration kRetry = std::chrono::seconds(10);

  StateFiles(os::EventLoop& loop, std::string folder) : loop_(loop), folder_(std::move(folder)) {}

  void store(const std::string& name, std::string text);

 private:
  Result<void> write(const std::string& name, const std::string& text);
  void retry();

  os::EventLoop& loop_;
  std::string folder_;
  std::map<std::string, std::string> unwritten_;  // by name
  os::Watch again_;
  os::log::Limited faults_;
};

}  // namespace wattle::metad
