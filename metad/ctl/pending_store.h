// The pending folder on disk (pending.h) and the lock that lets one join of a network run at a
// time.
#pragma once

#include <optional>
#include <string>

#include "common/os/fd.h"
#include "common/os/paths.h"
#include "metad/ctl/failure.h"
#include "metad/ctl/pending.h"

namespace wattle::ctl {

class PendingStore {
 public:
  explicit PendingStore(const os::Paths& paths);

  // Makes the folder (0700) and takes the lock; Temporary if another join holds it (says who).
  Outcome open();
  // What an earlier run left; nothing if it is unfinished or damaged.
  std::optional<Pending> load() const;
  Outcome save(const Pending& pending) const;
  // That the registry told this join to wait for approval: kept for the next run.
  void note_waiting() const;
  bool has_waited() const;
  // Removes the folder, and the network's state folder if nothing else is in it.
  void remove();
  const std::string& folder() const { return folder_; }

 private:
  std::string state_;
  std::string folder_;
  os::Fd lock_;
};

}  // namespace wattle::ctl
