// member.conf: what this host is in the network, written once by join, read by tapd (its own
// parser) and by `wattle`. Lines `key = value`, # comments.
#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/net/ip_address.h"
#include "common/proto/node_address.h"

namespace wattle::ctl {

struct MemberConf {
  std::string name;
  NodeAddress address;
  NetworkId network_id{};
  MacAddress mac;
  IpPrefix ipv4;    // own address with the network's length
  IpPrefix ipv6;    // own address with the network's length
  IpPrefix prefix;  // the member's own
};

std::string build_member_conf(const MemberConf& member);
// Config with a sentence that names `file` and the line; every key is needed, unknown ones are
// passed over.
Result<MemberConf> parse_member_conf(std::string_view text, std::string_view file);

}  // namespace wattle::ctl
