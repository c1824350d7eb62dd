#include "common/os/paths.h"

#include <unistd.h>
#include <array>
#include <climits>

namespace wattle::os {

Paths::Paths(std::string_view network, std::string root)
    : etc(root + "/etc/wattle/" + std::string(network)),
      state(root + "/var/lib/wattle/" + std::string(network)),
      run(root + "/run/wattle/" + std::string(network)) {}

std::string user_name(std::string_view network, std::string_view part) {
  return "wattle-" + std::string(network) + "-" + std::string(part);
}

std::string program_folder() {
  std::array<char, PATH_MAX> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  if (size <= 0) return "/usr/sbin";
  const std::string_view whole(path.data(), static_cast<std::size_t>(size));
  return std::string(whole.substr(0, whole.rfind('/')));
}

}  // namespace wattle::os
