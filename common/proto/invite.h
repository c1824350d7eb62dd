// An invite: https://HOST:PORT/NET#GENESIS.TOKEN with the genesis hash (52 base32 characters) and
// the token (26). What stands after # is never sent to a server.
#pragma once

#include <string>
#include <string_view>

#include "common/crypto/digest.h"
#include "common/proto/enrolment.h"

namespace wattle {

struct Invite {
  std::string base;     // https://198.51.100.7:8443
  std::string network;  // is_network_name
  crypto::Hash genesis{};
  InviteToken token{};
};

std::string build_invite(const Invite& invite);
// BadSyntax with a sentence that says which part is wrong and what an invite looks like.
Result<Invite> parse_invite(std::string_view url);

}  // namespace wattle
