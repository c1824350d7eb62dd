// Which networks this host is in, as its files say.
#pragma once

#include <string>
#include <vector>

#include "common/os/paths.h"
#include "metad/ctl/failure.h"
#include "metad/ctl/member_conf.h"

namespace wattle::ctl {

// Names of all folders of /etc/wattle, sorted; those with a member.conf.
std::vector<std::string> configured_networks(const std::string& root = {});
std::vector<std::string> joined_networks(const std::string& root = {});

// `asked`, or the only one there is if it is empty. NotJoined or Usage with a sentence.
Outcome choose_network(const std::string& asked, std::string& out, const std::string& root = {});

// member.conf; NotJoined (says so if a join is under way), Config if it is damaged.
Outcome read_member(const std::string& network, const os::Paths& paths, MemberConf& out);

// The `device` of wattle.conf, or wt-NET.
std::string device_of(const std::string& network, const os::Paths& paths);

}  // namespace wattle::ctl
