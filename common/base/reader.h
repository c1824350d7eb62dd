// Big-endian cursor over foreign bytes with a sticky error: read every field, then test once.
// After the first read past the end every further read yields zeros and ok() is false.
#pragma once

#include <type_traits>

#include "common/base/bytes.h"
#include "common/base/result.h"

namespace wattle {

class Reader {
 public:
  explicit Reader(ByteView bytes) : rest_(bytes) {}

  std::uint8_t u8() { return integer<std::uint8_t>(); }
  std::uint16_t u16() { return integer<std::uint16_t>(); }
  std::uint32_t u32() { return integer<std::uint32_t>(); }
  std::uint64_t u64() { return integer<std::uint64_t>(); }

  // A view of the next n bytes into the original buffer; empty after an error.
  ByteView view(std::size_t n) {
    if (n > rest_.size()) {
      failed_ = true;
      rest_ = {};
      return {};
    }
    ByteView out = rest_.first(n);
    rest_ = rest_.subspan(n);
    return out;
  }

  template <std::size_t N>
  ByteArray<N> array() {
    return to_array<N>(view(N));
  }

  void skip(std::size_t n) { view(n); }
  std::size_t left() const { return rest_.size(); }
  ByteView rest() const { return rest_; }
  bool ok() const { return !failed_; }

  // Success only if nothing failed and nothing is left.
  Result<void> finish() const {
    if (failed_) return Errc::Truncated;
    if (!rest_.empty()) return Errc::Trailing;
    return {};
  }

 private:
  template <typename T>
  T integer() {
    const ByteView bytes = view(sizeof(T));
    std::uint64_t value = 0;
    for (const std::uint8_t byte : bytes) value = value << 8 | byte;
    return static_cast<T>(value);
  }

  ByteView rest_;
  bool failed_ = false;
};

}  // namespace wattle
