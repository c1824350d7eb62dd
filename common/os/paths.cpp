#include "common/os/paths.h"

namespace wattle::os {

Paths::Paths(std::string_view network, std::string root)
    : etc(root + "/etc/wattle/" + std::string(network)),
      state(root + "/var/lib/wattle/" + std::string(network)),
      run(root + "/run/wattle/" + std::string(network)) {}

std::string user_name(std::string_view network, std::string_view part) {
  return "wattle-" + std::string(network) + "-" + std::string(part);
}

}  // namespace wattle::os
