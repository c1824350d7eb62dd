// How each kind of field travels on a lane: a closed list, included by lane.h only. Integers are
// big-endian; strings, Bytes and vectors carry a u32 count that is compared with what is left
// before anything is allocated; structs with fields() are their fields in order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/reader.h"
#include "common/base/secret.h"
#include "common/base/time.h"
#include "common/base/writer.h"
#include "common/net/endpoint.h"
#include "common/net/ip_address.h"

namespace wattle::ipc {

template <typename T>
concept HasFields = requires {
  T::fields();
};

template <typename T>
struct Codec;

template <typename T>
void encode_fields(Writer& out, const T& value) {
  std::apply(
      [&](auto... member) {
        (Codec<std::remove_cvref_t<decltype(value.*member)>>::encode(out, value.*member), ...);
      },
      T::fields());
}

template <typename T>
bool decode_fields(Reader& in, T& value) {
  return std::apply(
      [&](auto... member) {
        return (Codec<std::remove_cvref_t<decltype(value.*member)>>::decode(in, value.*member) &&
                ... && true);
      },
      T::fields());
}

template <HasFields T>
struct Codec<T> {
  static void encode(Writer& out, const T& v) { encode_fields(out, v); }
  static bool decode(Reader& in, T& v) { return decode_fields(in, v); }
};

template <>
struct Codec<bool> {
  static void encode(Writer& out, bool v) { out.u8(v ? 1 : 0); }
  static bool decode(Reader& in, bool& v) {
    const std::uint8_t byte = in.u8();
    v = byte == 1;
    return in.ok() && byte <= 1;
  }
};

template <typename T>
requires(std::is_unsigned_v<T> && !std::is_same_v<T, bool>) struct Codec<T> {
  static void encode(Writer& out, T v) {
    for (int i = static_cast<int>(sizeof(T)) - 1; i >= 0; --i)
      out.u8(static_cast<std::uint8_t>(v >> (8 * i)));
  }
  static bool decode(Reader& in, T& v) {
    std::uint64_t value = 0;
    for (const std::uint8_t byte : in.view(sizeof(T))) value = value << 8 | byte;
    v = static_cast<T>(value);
    return in.ok();
  }
};

// Enums need `kCount`-style bounds: is_valid(E) found by argument-dependent lookup.
template <typename T>
requires std::is_enum_v<T>
struct Codec<T> {
  using Raw = std::underlying_type_t<T>;
  static void encode(Writer& out, T v) { Codec<Raw>::encode(out, static_cast<Raw>(v)); }
  static bool decode(Reader& in, T& v) {
    Raw raw{};
    if (!Codec<Raw>::decode(in, raw)) return false;
    v = static_cast<T>(raw);
    return is_valid(v);
  }
};

template <std::size_t N>
struct Codec<ByteArray<N>> {
  static void encode(Writer& out, const ByteArray<N>& v) { out.bytes(v); }
  static bool decode(Reader& in, ByteArray<N>& v) {
    v = in.array<N>();
    return in.ok();
  }
};

template <>
struct Codec<std::string> {
  static void encode(Writer& out, const std::string& v) {
    out.u32(static_cast<std::uint32_t>(v.size())).bytes(as_bytes(v));
  }
  static bool decode(Reader& in, std::string& v) {
    const std::uint32_t size = in.u32();
    if (!in.ok() || size > in.left()) return false;
    v = as_text(in.view(size));
    return true;
  }
};

template <>
struct Codec<Bytes> {
  static void encode(Writer& out, const Bytes& v) {
    out.u32(static_cast<std::uint32_t>(v.size())).bytes(v);
  }
  static bool decode(Reader& in, Bytes& v) {
    const std::uint32_t size = in.u32();
    if (!in.ok() || size > in.left()) return false;
    v = to_bytes(in.view(size));
    return true;
  }
};

template <typename T>
requires(!std::is_same_v<T, std::uint8_t>) struct Codec<std::vector<T>> {
  static void encode(Writer& out, const std::vector<T>& v) {
    out.u32(static_cast<std::uint32_t>(v.size()));
    for (const T& item : v) Codec<T>::encode(out, item);
  }
  static bool decode(Reader& in, std::vector<T>& v) {
    const std::uint32_t size = in.u32();
    if (!in.ok() || size > in.left()) return false;  // every item takes at least one byte
    v.clear();
    for (std::uint32_t i = 0; i < size; ++i) {
      T item{};
      if (!Codec<T>::decode(in, item)) return false;
      v.push_back(std::move(item));
    }
    return true;
  }
};

template <>
struct Codec<UnixTime> {
  static void encode(Writer& out, UnixTime v) { out.u64(v.seconds); }
  static bool decode(Reader& in, UnixTime& v) {
    v.seconds = in.u64();
    return in.ok();
  }
};

template <>
struct Codec<MacAddress> {
  static void encode(Writer& out, const MacAddress& v) { out.bytes(v.bytes); }
  static bool decode(Reader& in, MacAddress& v) {
    v.bytes = in.array<6>();
    return in.ok();
  }
};

template <>
struct Codec<IpAddress> {
  static void encode(Writer& out, const IpAddress& v) { out.u8(v.family).bytes(v.view()); }
  static bool decode(Reader& in, IpAddress& v) {
    v = {};
    v.family = in.u8();
    if (!in.ok() || (v.family != 4 && v.family != 6)) return false;
    const ByteView bytes = in.view(v.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) v.bytes[i] = bytes[i];
    return in.ok();
  }
};

template <>
struct Codec<IpPrefix> {
  static void encode(Writer& out, const IpPrefix& v) {
    Codec<IpAddress>::encode(out, v.address);
    out.u8(v.length);
  }
  static bool decode(Reader& in, IpPrefix& v) {
    if (!Codec<IpAddress>::decode(in, v.address)) return false;
    v.length = in.u8();
    return in.ok() && v.length <= v.address.size() * 8;
  }
};

template <>
struct Codec<Endpoint> {
  static void encode(Writer& out, const Endpoint& v) {
    Codec<IpAddress>::encode(out, v.address);
    out.u16(v.port);
  }
  static bool decode(Reader& in, Endpoint& v) {
    if (!Codec<IpAddress>::decode(in, v.address)) return false;
    v.port = in.u16();
    return in.ok();
  }
};

template <std::size_t N>
struct Codec<Secret<N>> {
  static void encode(Writer& out, const Secret<N>& v) { out.bytes(v.view()); }
  static bool decode(Reader& in, Secret<N>& v) {
    v = Secret<N>(in.view(N));
    return in.ok();
  }
};

}  // namespace wattle::ipc
