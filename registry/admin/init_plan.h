// What `init` is going to make, decided and checked before anything is made.
#pragma once

#include <string>
#include <vector>

#include "common/net/ip_address.h"
#include "registry/admin/settings.h"

namespace wattle::registry {

struct InitPlan {
  std::string network;
  IpPrefix prefix;
  IpPrefix ipv4;
  std::vector<std::string> urls;       // at least one
  std::vector<std::string> listen;     // empty: the defaults
  std::uint64_t lifetime = kLifetime;  // of certificates, seconds
  bool approval = false;               // joins wait for node approve
};

// Errors name the option, or what is there already.
Result<InitPlan> make_plan(const Settings& settings);

// registry.conf: every line is a comment that says what it does, or valid when uncommented.
std::string config_text(const InitPlan& plan);

// The host part of https://HOST:PORT, without brackets.
std::string host_of(const std::string& url);

// This host's name as a node name; "registry" if nothing of it is fit.
std::string own_node_name();

}  // namespace wattle::registry
