#include "common/os/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cerrno>
#include <cstdint>

#include "common/base/loosened.h"
#include "common/os/fd.h"
#include "common/os/file.h"

namespace wattle::os {
namespace {

// What newer kernels know than the headers we build with (Documentation/userspace-api/landlock).
constexpr std::uint64_t kRefer = 1ull << 13;     // ABI 2
constexpr std::uint64_t kTruncate = 1ull << 14;  // ABI 3
constexpr std::uint64_t kIoctl = 1ull << 15;     // ABI 5
constexpr std::uint64_t kTcpBind = 1ull << 0;    // ABI 4
constexpr std::uint64_t kTcpConnect = 1ull << 1;
constexpr std::uint64_t kScopeAbstract = 1ull << 0;  // ABI 6
constexpr std::uint64_t kScopeSignal = 1ull << 1;
constexpr std::uint64_t kFirstRights = (1ull << 13) - 1;  // ABI 1: LANDLOCK_ACCESS_FS_*

// struct landlock_ruleset_attr of ABI 6; older kernels take it as long as what they do not know is
// 0.
struct Ruleset {
  std::uint64_t files = 0;
  std::uint64_t net = 0;
  std::uint64_t scoped = 0;
};

Ruleset closed(int abi, bool tcp_connect) {
  Ruleset out;
  out.files = kFirstRights;
  if (abi >= 2) out.files |= kRefer;
  if (abi >= 3) out.files |= kTruncate;
  if (abi >= 4) out.net = tcp_connect ? kTcpBind : kTcpBind | kTcpConnect;
  if (abi >= 5) out.files |= kIoctl;
  if (abi >= 6) out.scoped = kScopeAbstract | kScopeSignal;
  if (WATTLE_LOOSENED(seal_landlock_files)) out.files = LANDLOCK_ACCESS_FS_MAKE_BLOCK;
  if (WATTLE_LOOSENED(seal_landlock_tcp)) out.net = 0;
  if (WATTLE_LOOSENED(seal_landlock_scope)) out.scoped = 0;
  return out;
}

std::uint64_t rights_of(const FolderRight& folder) {
  std::uint64_t out = LANDLOCK_ACCESS_FS_READ_DIR;  // to sync it
  if (folder.read) out |= LANDLOCK_ACCESS_FS_READ_FILE;
  if (folder.write)
    out |= LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
           LANDLOCK_ACCESS_FS_REMOVE_FILE | kTruncate;
  return out;
}

Result<void> allow(int ruleset, std::uint64_t handled, const FolderRight& folder) {
  const std::string path = WATTLE_LOOSENED(seal_landlock_folder) ? "/" : folder.path;
  const Fd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!fd.is_open() && errno == ENOENT) return {};  // nothing to keep
  if (!fd.is_open()) return system_error("cannot open the folder " + folder.path);
  landlock_path_beneath_attr rule{};
  rule.allowed_access = rights_of(folder) & handled;
  rule.parent_fd = fd.raw();
  if (::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
    return system_error("cannot keep the folder " + folder.path + " in Landlock's ruleset");
  return {};
}

}  // namespace

Result<void> restrict_self(const std::vector<FolderRight>& folders, bool tcp_connect) {
  const long abi =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (abi < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
    return Error(Errc::Unsupported, "this kernel has no Landlock");
  if (abi < 0 && errno == EPERM)
    return Error(Errc::Unsupported, "a filter above this process (a container's) forbids Landlock");
  if (abi < 0) return system_error("cannot ask for Landlock");
  const Ruleset rules = closed(static_cast<int>(abi), tcp_connect);
  const std::size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
  const Fd ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &rules, size, 0)));
  if (!ruleset.is_open()) return system_error("cannot make a Landlock ruleset");
  for (const FolderRight& folder : folders) WATTLE_TRY(allow(ruleset.raw(), rules.files, folder));
  if (::syscall(SYS_landlock_restrict_self, ruleset.raw(), 0) != 0)
    return system_error("cannot enter the Landlock ruleset");
  return {};
}

}  // namespace wattle::os
