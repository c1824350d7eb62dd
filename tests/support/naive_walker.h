// A second reading of an Ethernet frame for differential tests: plain indexing with a check before
// each byte, written from the RFCs and sharing nothing with common/net/ether_frame.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/bytes.h"

namespace wattle::tests {

struct NaiveIp {
  Bytes source, destination;
  int protocol = -1;
  bool fragment = false, first = true;
  std::size_t body_at = 0, body_size = 0;
};

inline std::optional<std::size_t> naive_number(ByteView b, std::size_t at, std::size_t size) {
  std::size_t value = 0;
  for (std::size_t i = at; i < at + size; ++i) {
    if (i >= b.size()) return std::nullopt;
    value = value * 256 + b[i];
  }
  return value;
}

inline std::optional<NaiveIp> naive_ipv4(ByteView b) {
  if (b.size() < 20) return std::nullopt;
  const std::size_t header = (b[0] % 16u) * 4u;
  const std::size_t total = b[2] * 256u + b[3];
  if (b[0] / 16 != 4 || header < 20 || header > total || total > b.size()) return std::nullopt;
  if (b[6] >= 128) return std::nullopt;
  NaiveIp ip;
  ip.source.assign(b.begin() + 12, b.begin() + 16);
  ip.destination.assign(b.begin() + 16, b.begin() + 20);
  ip.protocol = b[9];
  const std::size_t offset = (b[6] % 32u) * 256u + b[7];
  const bool more = b[6] / 32 % 2 == 1;
  ip.fragment = more || offset != 0;
  ip.first = offset == 0;
  ip.body_at = header;
  ip.body_size = total - header;
  return ip;
}

inline std::optional<NaiveIp> naive_ipv6(ByteView b) {
  if (b.size() < 40 || b[0] / 16 != 6) return std::nullopt;
  const std::size_t end = 40 + b[4] * 256u + b[5];
  if (end > b.size()) return std::nullopt;
  NaiveIp ip;
  ip.source.assign(b.begin() + 8, b.begin() + 24);
  ip.destination.assign(b.begin() + 24, b.begin() + 40);
  ip.protocol = b[6];
  std::size_t at = 40;
  for (int count = 0;; ++count) {
    const std::string extensions{
        0, 43, 44, 51, 60, static_cast<char>(135), static_cast<char>(139), static_cast<char>(140)};
    if (extensions.find(static_cast<char>(ip.protocol)) == std::string::npos) break;
    if (count == 8 || at + 2 > end) return std::nullopt;
    std::size_t size = (b[at + 1] + 1u) * 8u;
    if (ip.protocol == 44) size = 8;
    if (ip.protocol == 51) size = (b[at + 1] + 2u) * 4u;
    if (at + size > end) return std::nullopt;
    const bool is_fragment = ip.protocol == 44;
    ip.protocol = b[at];
    if (is_fragment) {
      ip.fragment = true;
      ip.first = b[at + 2] == 0 && b[at + 3] < 8;
    }
    at += size;
    if (!ip.first) break;
  }
  ip.body_at = at;
  ip.body_size = end - at;
  return ip;
}

}  // namespace wattle::tests
