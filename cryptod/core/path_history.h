// The last decisions about ways to one peer, one plain sentence each (`wattle why`). Other members
// stand in it by their address in text; metad puts names in their place.
#pragma once

#include <string>
#include <vector>

#include "common/base/time.h"
#include "common/ipc/meta_link.h"

namespace wattle::cryptod {

class PathHistory {
 public:
  static constexpr std::size_t kKept = 10;

  // A sentence that is already there moves to the end and is counted, so that what repeats itself
  // does not push out the rest.
  void add(Instant now, std::string sentence);

  // Oldest first, in unix milliseconds as of now.
  std::vector<meta_link::Decision> list(Instant now, UnixTime unix_now) const;

 private:
  struct Entry {
    Instant at;
    std::string sentence;
    std::uint32_t times = 1;
  };
  std::vector<Entry> entries_;  // a vector: an empty one weighs nothing
};

}  // namespace wattle::cryptod
