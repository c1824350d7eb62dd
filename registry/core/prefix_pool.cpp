#include "registry/core/prefix_pool.h"

namespace wattle::registry {
namespace {

std::uint32_t number_of(const IpAddress& address) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | address.bytes[i];
  return value;
}

IpAddress address_of(std::uint32_t value) {
  return IpAddress::v4({static_cast<std::uint8_t>(value >> 24),
                        static_cast<std::uint8_t>(value >> 16),
                        static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)});
}

bool is_anycast(std::string_view bits, std::size_t max_bits) {
  return bits.size() == max_bits && bits.find('1') == std::string_view::npos;
}

}  // namespace

PrefixPool::PrefixPool(std::size_t max_bits) : max_bits_(max_bits), free_{std::string()} {}

Result<std::string> PrefixPool::propose(std::size_t wanted) const {
  if (wanted > max_bits_) return Errc::BadValue;
  const std::string* best = nullptr;
  for (const std::string& leaf : free_) {  // in order: of equally long leaves the smallest is first
    if (leaf.size() > wanted) continue;
    // The all-zero leaf of full length stays reserved; a shorter one is only split further when
    // something else than the anycast address comes out of it.
    if (is_anycast(leaf, max_bits_)) continue;
    if (best == nullptr || leaf.size() > best->size()) best = &leaf;
  }
  if (best == nullptr) return Errc::Full;
  std::string bits = *best;
  bits.resize(wanted, '0');
  if (is_anycast(bits, max_bits_)) bits.back() = '1';
  return bits;
}

Result<std::string> PrefixPool::take(std::size_t wanted) {
  std::string bits = WATTLE_TRY(propose(wanted));
  WATTLE_TRY(mark(bits));
  return bits;
}

Result<void> PrefixPool::mark(std::string_view bits) {
  if (bits.size() > max_bits_) return Errc::BadValue;
  for (std::size_t length = 0; length <= bits.size(); ++length) {
    const auto leaf = free_.find(std::string(bits.substr(0, length)));
    if (leaf == free_.end()) continue;
    free_.erase(leaf);
    for (std::size_t at = length; at < bits.size(); ++at) {
      std::string other(bits.substr(0, at));
      other.push_back(bits[at] == '0' ? '1' : '0');
      free_.insert(std::move(other));
    }
    return {};
  }
  return Errc::Exists;
}

void PrefixPool::set_aside(std::string_view last) {
  WATTLE_CHECK(last.size() == max_bits_);
  std::set<std::string> kept;
  for (const std::string& leaf : free_) {
    const std::string_view edge = last.substr(0, leaf.size());
    if (leaf > edge) kept.insert(leaf);
    if (leaf != edge) continue;
    // The position lies inside: what branches off above the way to it stays.
    for (std::size_t at = leaf.size(); at < max_bits_; ++at)
      if (last[at] == '0') kept.insert(std::string(last.substr(0, at)) + '1');
  }
  free_ = std::move(kept);
}

bool PrefixPool::is_free(std::string_view bits) const {
  for (std::size_t length = 0; length <= bits.size(); ++length)
    if (free_.contains(std::string(bits.substr(0, length)))) return true;
  return false;
}

Result<IpAddress> lowest_free_ipv4(const IpPrefix& block, const std::set<IpAddress>& used,
                                   const IpAddress& above) {
  if (!block.address.is_v4() || block.length == 0 || block.length > 30) return Errc::BadValue;
  const std::uint32_t first = number_of(block.network().address);
  const std::uint32_t hosts = (std::uint32_t{1} << (32 - block.length)) - 2;
  for (std::uint32_t i = 1; i <= hosts; ++i) {
    const IpAddress candidate = address_of(first + i);
    if (candidate > above && !used.contains(candidate)) return candidate;
  }
  return Errc::Full;
}

bool is_host_of(const IpPrefix& block, const IpAddress& address) {
  if (!block.address.is_v4() || block.length == 0 || block.length > 30) return false;
  if (!address.is_v4() || !block.contains(address)) return false;
  const std::uint32_t mask = (std::uint32_t{1} << (32 - block.length)) - 1;
  const std::uint32_t host = number_of(address) & mask;
  return host != 0 && host != mask;
}

}  // namespace wattle::registry
