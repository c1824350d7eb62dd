// What daemons tell the supervisor: the words of sd_notify(3) that wattle's daemons use. Every
// daemon has a notify socket of its own, writable by its own uid only, so none can speak for or
// flood another; the kernel says which process wrote (SCM_CREDENTIALS).
#pragma once

#include <sys/types.h>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/os/fd.h"

namespace wattle::ctl {

struct Notification {
  bool ready = false;
  bool watchdog = false;
  bool store = false;                 // FDSTORE=1
  bool remove = false;                // FDSTOREREMOVE=1
  std::string name = "stored";        // FDNAME
  std::optional<std::string> status;  // printable, at most 200 characters
};

inline constexpr std::size_t kMaxNotification = 4096;

// Lines KEY=value; what it does not know it passes over. BadValue for an unusable FDNAME.
Result<Notification> parse_notification(std::string_view text);

struct Notified {
  pid_t pid = 0;
  Notification what;
  std::vector<os::Fd> descriptors;
};

// Bound at path, mode 0600, owner uid; asks for credentials with every message.
Result<os::Fd> open_notify_socket(const std::string& path, uid_t uid);
// The next message. Again: none is there; BadValue: one was dropped.
Result<Notified> receive_notification(int socket);

}  // namespace wattle::ctl
