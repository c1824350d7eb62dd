// The Internet checksum (RFC 1071) as a running sum, and the pseudo-headers of TCP and UDP.
#pragma once

#include <cstdint>

#include "common/base/bytes.h"
#include "common/net/ip_address.h"

namespace wattle {

// Adds bytes as 16-bit big-endian words. Each add() begins at an even offset of what is summed; an
// odd end counts as if a zero byte followed.
class ChecksumSum {
 public:
  ChecksumSum& add(ByteView bytes);
  ChecksumSum& add(std::uint16_t word) {
    sum_ += word;
    return *this;
  }
  std::uint16_t folded() const;  // not inverted
  std::uint16_t checksum() const { return static_cast<std::uint16_t>(~folded()); }

 private:
  std::uint64_t sum_ = 0;
};

// Addresses (4 or 16 bytes each), protocol and length of what follows the IP header.
ChecksumSum pseudo_header(ByteView source, ByteView destination, std::uint8_t protocol,
                          std::size_t length);

}  // namespace wattle
