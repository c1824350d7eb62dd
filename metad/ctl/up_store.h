// The descriptors that one daemon gave to be kept for its next start (FDSTORE=1). Bounded; a name
// is held once, the newest descriptor wins.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/os/fd.h"

namespace wattle::ctl {

class DescriptorStore {
 public:
  static constexpr std::size_t kMax = 16;

  // False, and the descriptor is closed, if the store is full.
  bool put(std::string_view name, os::Fd fd);
  void remove(std::string_view name);
  void clear() { held_.clear(); }
  bool holds(std::string_view name) const { return held_.contains(name); }
  const std::map<std::string, os::Fd, std::less<>>& held() const { return held_; }

 private:
  std::map<std::string, os::Fd, std::less<>> held_;
};

}  // namespace wattle::ctl
