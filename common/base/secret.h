// Secret<N>: N secret bytes, wiped on destruction and when moved from. No copy, no comparison, no
// printing: take clone() where a second one is really wanted, secret_equal() to compare.
#pragma once

#include <cstring>

#include "common/base/bytes.h"

namespace wattle {

// Overwrites with zeros; never optimised away.
void wipe(MutableBytes bytes);

// Constant-time equality of secrets, tags and MACs; unequal lengths compare unequal.
bool secret_equal(ByteView a, ByteView b);

template <std::size_t N>
class Secret {
 public:
  Secret() = default;
  explicit Secret(ByteView bytes) : bytes_(to_array<N>(bytes)) {}
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      wipe(other.bytes_);
    }
    return *this;
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(bytes_); }

  Secret clone() const { return Secret(view()); }
  ByteView view() const { return bytes_; }
  MutableBytes mutable_bytes() { return bytes_; }
  static constexpr std::size_t size() { return N; }

 private:
  ByteArray<N> bytes_{};
};

}  // namespace wattle
