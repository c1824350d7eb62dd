// Landlock (landlock(7)): what even a call that the filter lets through cannot reach. One ruleset
// for the whole life of the process, made of what the policy says and whatever the running kernel
// knows of it.
#pragma once

#include <string>
#include <vector>

#include "common/base/result.h"

namespace wattle::os {

// A folder (and all below it) that stays within reach; everything else of the file system is closed
// to opening, listing, making and removing.
struct FolderRight {
  std::string path;
  bool read = false;   // open files for reading
  bool write = false;  // open files for writing, make and remove regular files
};

// What stays allowed: these folders; TCP connections if `tcp_connect`. Never: TCP bind, ioctl on
// devices, abstract Unix sockets and signals of other processes (as far as the kernel can tell:
// ABI 4, 5 and 6). Execution is never allowed, not even in the folders. Needs no_new_privs.
// Unsupported if the kernel has no Landlock: the caller says so and goes on.
Result<void> restrict_self(const std::vector<FolderRight>& folders, bool tcp_connect);

}  // namespace wattle::os
