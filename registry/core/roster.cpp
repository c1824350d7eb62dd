#include "registry/core/roster.h"

#include "common/proto/prefix_bits.h"

namespace wattle::registry {

Roster::Roster(const IpPrefix& network6, const IpPrefix& network4)
    : network6_(network6), network4_(network4), prefixes_(std::size_t{128} - network6.length) {}

Result<void> Roster::add(const IpPrefix& prefix6, const IpAddress& ipv4) {
  const std::string bits = WATTLE_TRY(member_bits(network6_, prefix6));
  const bool is_aside = last6_ && prefix6.address <= *last6_;
  if (!is_aside) WATTLE_TRY(prefixes_.mark(bits));
  ipv4_.insert(ipv4);
  return {};
}

Result<void> Roster::set_aside(const IpAddress& last6, const IpAddress& last4) {
  prefixes_.set_aside(WATTLE_TRY(member_bits(network6_, {last6, 128})));
  last6_ = last6;
  last4_ = last4;
  return {};
}

Result<Roster::Proposal> Roster::propose(std::uint8_t prefix_length) const {
  const auto bits = prefixes_.propose(prefix_length);
  if (!bits)
    return Error(Errc::Full, "the network has no free prefix of " + std::to_string(prefix_length) +
                                 " bits left: invite with a longer --prefix-length");
  auto ipv4 = lowest_free_ipv4(network4_, ipv4_, last4_);
  if (!ipv4)
    return Error(Errc::Full,
                 "the network's IPv4 block " + network4_.text() + " has no free address");
  return Proposal{member_prefix(network6_, *bits), *ipv4};
}

}  // namespace wattle::registry
