#include "cryptod/core/owner_table.h"

namespace wattle::cryptod {

namespace {

// The MAC inside an EUI-64 interface identifier (RFC 4291 appendix A), if it is one.
std::optional<MacAddress> mac_of_link_local(const IpAddress& a) {
  if (a.is_v4() || !a.is_link_local() || a.bytes[11] != 0xff || a.bytes[12] != 0xfe)
    return std::nullopt;
  const MacAddress mac{{static_cast<std::uint8_t>(a.bytes[8] ^ 2), a.bytes[9], a.bytes[10],
                        a.bytes[13], a.bytes[14], a.bytes[15]}};
  if (IpAddress::link_local(mac) != a) return std::nullopt;
  return mac;
}

}  // namespace

std::size_t OwnerTable::MacHash::operator()(const MacAddress& mac) const {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : mac.bytes) value = value << 8 | byte;
  return static_cast<std::size_t>(value * 0x9e3779b97f4a7c15u >> 16);
}

bool OwnerTable::add(std::uint32_t slot, const Credential& credential) {
  const auto [place, inserted] = macs_.emplace(credential.mac, slot);
  if (!inserted && place->second != slot) return false;
  add_prefix(slot, credential.ipv4);
  add_prefix(slot, credential.ipv6);
  return true;
}

void OwnerTable::remove(std::uint32_t slot, const Credential& credential) {
  const auto place = macs_.find(credential.mac);
  if (place == macs_.end() || place->second != slot) return;
  macs_.erase(place);
  remove_prefix(slot, credential.ipv4);
  remove_prefix(slot, credential.ipv6);
}

void OwnerTable::add_prefix(std::uint32_t slot, const IpPrefix& prefix) {
  if (prefixes_.emplace(prefix.network(), slot).second)
    ++lengths_[{prefix.address.family, prefix.length}];
}

void OwnerTable::remove_prefix(std::uint32_t slot, const IpPrefix& prefix) {
  const auto place = prefixes_.find(prefix.network());
  if (place == prefixes_.end() || place->second != slot) return;
  prefixes_.erase(place);
  const auto length = lengths_.find({prefix.address.family, prefix.length});
  if (--length->second == 0) lengths_.erase(length);
}

std::optional<std::uint32_t> OwnerTable::find(const IpAddress& address) const {
  if (const auto mac = mac_of_link_local(address)) return find(*mac);
  for (auto length = lengths_.rbegin(); length != lengths_.rend(); ++length) {
    if (length->first.first != address.family) continue;
    const auto place = prefixes_.find(IpPrefix{address, length->first.second}.network());
    if (place != prefixes_.end()) return place->second;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> OwnerTable::find(const MacAddress& mac) const {
  const auto place = macs_.find(mac);
  if (place == macs_.end()) return std::nullopt;
  return place->second;
}

}  // namespace wattle::cryptod
