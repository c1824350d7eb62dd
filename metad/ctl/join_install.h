// Makes this host a member, all or nothing: users, keys, certificate, settings (DESIGN 1 "Files").
// member.conf is written last: where it is, the host is a member.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "common/os/paths.h"
#include "metad/ctl/check_protocol.h"
#include "metad/ctl/failure.h"
#include "metad/ctl/pending.h"

namespace wattle::ctl {

struct Installation {
  std::string network;
  std::string genesis;  // text, verified
  const Pending& pending;
  const CheckAnswer& answer;  // outcome Member
  std::uint16_t port = 0;
  std::optional<std::string> device;
};

// On a failure everything this call made is taken back, except the pending folder. A wattle.conf
// that is there already stays as it is.
Outcome install_member(const Installation& what, const os::Paths& paths);

// The text of meta/peers: `NAME ADDRESS ENDPOINT …` per line.
std::string build_peers_file(const std::vector<JoinPeer>& peers);

// The parts whose users a member's daemons run as.
inline constexpr std::array<const char*, 4> kMemberParts = {"tap", "crypto", "key", "meta"};

}  // namespace wattle::ctl
