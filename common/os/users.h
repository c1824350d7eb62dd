// The system users that a network's daemons run as (DESIGN 1): made by `wattle-registry init` and
// `wattle join`, removed by `wattle leave`. Works by running useradd, groupadd, userdel and
// groupdel (Debian's passwd package); all of it as root. Errors are one sentence that names the
// program and what it printed.
#pragma once

#include <sys/types.h>
#include <string>
#include <string_view>

#include "common/base/result.h"

namespace wattle::os {

// Members of this group may look at the debug socket.
inline constexpr const char* kLookGroup = "wattle";

struct User {
  uid_t uid = 0;
  gid_t gid = 0;
};

// NotFound with a sentence if there is no such user or group.
Result<User> find_user(const std::string& name);
Result<gid_t> find_group(const std::string& name);

// Makes a system user without home or login shell, with a group of its own name, unless it is
// there. `made`, if given, says whether it had to be made (for whoever must undo it).
Result<User> ensure_user(const std::string& name, bool* made = nullptr);
Result<gid_t> ensure_group(const std::string& name, bool* made = nullptr);

// Removes user and own group; success if they are not there.
Result<void> remove_user(const std::string& name);
Result<void> remove_group(const std::string& name);

}  // namespace wattle::os
