// What the signer's journal says about a network, as far as an administrator asks for it.
#pragma once

#include <string>
#include <vector>

#include "common/proto/network_document.h"
#include "registry/admin/admin_link.h"
#include "registry/core/key_ring.h"

namespace wattle::registry {

struct Node {
  NodeAddress address;
  std::string name;        // as assigned
  std::uint8_t flags = 0;  // likewise
  IpPrefix prefix6;
  IpAddress ipv4;
  UnixTime joined;
  std::string certified_name;  // in its newest certificate, as the rest is
  std::uint8_t certified_flags = 0;
  std::uint64_t serial = 0;
  Credential credential;
  std::size_t credential_key = 0, ca = 0;  // which of the ring's signed it
  bool old_keys = false;                   // there are newer ones
  bool revoked = false;

  // "member"; "revoked"; "expired"; "renews": it has not yet fetched what was changed.
  const char* state(UnixTime now) const;
};

struct WaitingJoin {  // a machine that asked and is no member yet
  std::string name;
  NodeAddress address;
  UnixTime since;
  UnixTime until;  // then it needs a new invite
  bool approved = false;
};

struct JournalView {
  std::string network;
  Genesis genesis;
  std::string genesis_text;
  KeyRing keys;
  NetworkDocument document;
  std::uint64_t lifetime = kLifetime;
  std::vector<Node> nodes;  // in the order in which they joined
  std::size_t open_invites = 0;
  std::vector<WaitingJoin> waiting;  // in the order in which they asked

  // By name; a revoked one only if no other has the name.
  const Node* find(const std::string& name) const;
};

Result<JournalView> view_of(const std::vector<Entry>& entries, const std::string& network,
                            UnixTime now);

// "relay,gateway"; empty if there is no flag.
std::string roles_text(std::uint8_t flags);

}  // namespace wattle::registry
