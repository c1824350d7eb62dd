#include "common/net/checksum.h"

#include <bit>

namespace wattle {

namespace {

// Ones' complement sums may be made in any word size and byte order (RFC 1071, 2).
std::uint64_t add_carry(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t sum = a + b;
  return sum + (sum < a ? 1 : 0);
}

std::uint64_t fold(std::uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return sum;
}

}  // namespace

ChecksumSum& ChecksumSum::add(ByteView bytes) {
  std::uint64_t sum = 0;
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    sum = add_carry(sum, word);
  }
  if (at < bytes.size()) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, bytes.size() - at);
    sum = add_carry(sum, word);
  }
  auto folded = static_cast<std::uint16_t>(fold(sum));
  if constexpr (std::endian::native == std::endian::little)
    folded = static_cast<std::uint16_t>(folded << 8 | folded >> 8);
  sum_ += folded;
  return *this;
}

std::uint16_t ChecksumSum::folded() const { return static_cast<std::uint16_t>(fold(sum_)); }

ChecksumSum pseudo_header(ByteView source, ByteView destination, std::uint8_t protocol,
                          std::size_t length) {
  ChecksumSum sum;
  sum.add(source).add(destination).add(protocol);
  return sum.add(static_cast<std::uint16_t>(length >> 16))
      .add(static_cast<std::uint16_t>(length & 0xffff));
}

}  // namespace wattle
