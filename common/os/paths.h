// Where everything of one network lives (DESIGN 1 and 10). Functions of the network's name only,
// under a root that is empty but in tests (WATTLE_ROOT is not read: pass it).
#pragma once

#include <string>
#include <string_view>

namespace wattle::os {

struct Paths {
  explicit Paths(std::string_view network, std::string root = {});
  std::string etc;    // /etc/wattle/NET: wattle.conf, member.conf, genesis, ca.pem, registry.conf
  std::string state;  // /var/lib/wattle/NET: meta/ key/ registry/ signer/ pending/
  std::string
      run;  // /run/wattle/NET: lock, crypto.tap crypto.meta crypto.key key meta sign sign.admin

  std::string config() const { return etc + "/wattle.conf"; }
  std::string member() const { return etc + "/member.conf"; }
  std::string genesis() const { return etc + "/genesis"; }
  std::string registry_config() const { return etc + "/registry.conf"; }
};

// wattle-NET-tap and so on: "tap", "crypto", "key", "meta", "registry", "signer".
std::string user_name(std::string_view network, std::string_view part);

// The folder that the running program was started from, where its companions are, too.
std::string program_folder();

}  // namespace wattle::os
