// Who holds an address? Hints come from ADD_SUBNET and from each host's MAC; a verified credential
// replaces a member's hints by what it grants (cryptod still verifies it again). Longest match
// wins; among equals a proven owner, else the lowest address (so that the answer is stable).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <vector>

#include "common/proto/credential.h"
#include "metad/core/subnet.h"

namespace wattle::metad {

class Owners {
 public:
  static constexpr std::size_t kMaxPerOwner = 64;
  static constexpr std::size_t kMaxSubnets = 16384;

  enum class Hinted {
    New,
    Known,
    Refused,
    Full
  };  // Refused: the owner's credential does not cover it

  Hinted hint(const NodeAddress& owner, const Subnet& subnet);
  bool retract(const NodeAddress& owner, const Subnet& subnet);  // proven ones stay
  // From a verified credential; every hint that it does not cover goes.
  void prove(const NodeAddress& owner, const Credential& credential);
  void forget(const NodeAddress& owner);

  std::optional<NodeAddress> find(const IpAddress& address) const;  // fe80 in EUI-64 form: by MAC
  std::optional<NodeAddress> find(const MacAddress& mac) const;
  std::vector<Subnet> subnets(const NodeAddress& owner) const;

 private:
  struct Entry {
    std::set<Subnet> subnets;
    std::set<Subnet> proven;  // what the credential grants; empty: none verified yet
  };
  void index(const NodeAddress& owner, const Subnet& subnet);
  void unindex(const NodeAddress& owner, const Subnet& subnet);
  const NodeAddress* best(const std::set<NodeAddress>& holders, const Subnet& subnet) const;

  std::map<NodeAddress, Entry> owners_;
  std::map<Subnet, std::set<NodeAddress>> holders_;
  std::map<std::pair<std::uint8_t, std::uint8_t>, std::size_t>
      lengths_;  // (family, length) -> count
};

// What a credential grants, as the member's own metad announces it.
std::vector<Subnet> granted_subnets(const Credential& credential);

}  // namespace wattle::metad
