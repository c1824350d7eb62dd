#include "registry/core/route_table.h"

#include <algorithm>
#include <bit>

#include "common/base/parse.h"

namespace wattle::registry {
namespace {

constexpr int kDraws = 4096;

struct Route {
  std::string_view device;
  IpPrefix destination;
};

// The file shows addresses as the hexadecimal number that the four bytes are in memory.
IpAddress address_of(std::uint32_t raw) {
  ByteArray<4> bytes{};
  std::memcpy(bytes.data(), &raw, sizeof raw);
  return IpAddress::v4(bytes);
}

// Columns: Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT
std::vector<Route> parse_routes(std::string_view text) {
  std::vector<Route> out;
  for (const std::string_view line : split(text, '\n')) {
    std::vector<std::string_view> columns;
    for (const std::string_view column : split(line, '\t'))
      if (!trim(column).empty()) columns.push_back(trim(column));
    if (columns.size() < 8) continue;
    const auto destination = parse_hex_number(columns[1], UINT32_MAX);
    const auto mask = parse_hex_number(columns[7], UINT32_MAX);
    if (!destination || !mask) continue;
    const int length = std::popcount(static_cast<std::uint32_t>(*mask));
    out.push_back({columns[0],
                   {address_of(static_cast<std::uint32_t>(*destination)),
                    static_cast<std::uint8_t>(length)}});
  }
  return out;
}

}  // namespace

std::vector<IpPrefix> route_destinations(std::string_view proc_net_route) {
  std::vector<IpPrefix> out;
  for (const Route& route : parse_routes(proc_net_route))
    if (route.destination.length != 0) out.push_back(route.destination);
  return out;
}

std::string default_route_device(std::string_view proc_net_route) {
  for (const Route& route : parse_routes(proc_net_route))
    if (route.destination.length == 0) return std::string(route.device);
  return {};
}

Result<IpPrefix> random_ipv4_block(Random& random, const std::vector<IpPrefix>& taken) {
  for (int i = 0; i < kDraws; ++i) {
    ByteArray<4> bytes{10, 0, 0, 0};
    random.fill(MutableBytes(bytes).subspan(1, 2));
    const IpPrefix block = IpPrefix{IpAddress::v4(bytes), 22}.network();
    const bool clashes = std::any_of(taken.begin(), taken.end(),
                                     [&](const IpPrefix& other) { return other.overlaps(block); });
    if (!clashes) return block;
  }
  return Error(Errc::Full, "every part of 10.0.0.0/8 is in this host's routes: choose with --ipv4");
}

IpPrefix random_ula(Random& random) {
  ByteArray<16> bytes{0xfd};
  random.fill(MutableBytes(bytes).subspan(1, 5));
  return {IpAddress::v6(bytes), 48};
}

}  // namespace wattle::registry
