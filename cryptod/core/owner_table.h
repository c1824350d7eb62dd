// Which member owns an IP address or a MAC, from verified credentials only. Addresses are found by
// the longest prefix; link-local ones by the MAC inside them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "common/proto/credential.h"

namespace wattle::cryptod {

class OwnerTable {
 public:
  // False, and nothing changes, if another slot owns the MAC. A prefix that another slot has
  // already stays with the first (the registry gives none out twice).
  bool add(std::uint32_t slot, const Credential& credential);
  void remove(std::uint32_t slot, const Credential& credential);

  std::optional<std::uint32_t> find(const IpAddress& address) const;
  std::optional<std::uint32_t> find(const MacAddress& mac) const;

 private:
  struct MacHash {
    std::size_t operator()(const MacAddress& mac) const;
  };
  void add_prefix(std::uint32_t slot, const IpPrefix& prefix);
  void remove_prefix(std::uint32_t slot, const IpPrefix& prefix);

  std::unordered_map<MacAddress, std::uint32_t, MacHash> macs_;
  std::map<IpPrefix, std::uint32_t> prefixes_;  // host bits cleared
  std::map<std::pair<std::uint8_t, std::uint8_t>, std::size_t>
      lengths_;  // (family, length): how many
};

}  // namespace wattle::cryptod
