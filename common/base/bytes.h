// Byte sequences. ByteView never owns; whoever returns one says how long it lives.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace wattle {

using ByteView = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;
using Bytes = std::vector<std::uint8_t>;
template <std::size_t N>
using ByteArray = std::array<std::uint8_t, N>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }

// Equality in ordinary time: for public values only (secrets: common/base/secret.h).
inline bool equal(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// The first N bytes of a view; zeros for what it does not have (a Reader's view after an error).
template <std::size_t N>
ByteArray<N> to_array(ByteView view) {
  ByteArray<N> out{};
  if (!view.empty()) std::memcpy(out.data(), view.data(), N < view.size() ? N : view.size());
  return out;
}

}  // namespace wattle
