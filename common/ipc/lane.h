// A lane is one direction of a conversation between two of our processes: a closed list of message
// structs. A message is a plain struct with
//   static constexpr std::string_view kName = "...";         its name in logs
//   static constexpr auto fields() { return std::tuple(&M::a, &M::b); }
//   static constexpr std::size_t kDescriptors = 1;           only if descriptors travel with it
// Its id is its position in the lane. Wire: u8 id, then the fields (field_codec.h); exact length.
// Two Lane aliases in one header per link are the whole declaration; sending a message the lane
// does not have does not compile, nor does a receiver that lacks a handler (std::visit).
// fingerprint() differs whenever names or field counts differ: the ends exchange it first
// (common/os/channel.h) so that daemons of different builds refuse each other in words.
#pragma once

#include <optional>
#include <string_view>
#include <tuple>
#include <variant>

#include "common/base/bytes.h"
#include "common/base/mutant.h"
#include "common/base/result.h"
#include "common/ipc/field_codec.h"

namespace wattle::ipc {

inline constexpr std::size_t kMaxMessage = 160 * 1024;  // bytes of one message on any lane

template <typename M>
constexpr std::size_t descriptors_of() {
  if constexpr (requires { M::kDescriptors; }) return M::kDescriptors;
  return 0;
}

template <typename... Ms>
class Lane {
 public:
  using Message = std::variant<std::monostate, Ms...>;  // monostate never leaves unpack()
  static constexpr std::size_t kCount = sizeof...(Ms);

  template <typename M>
  static constexpr bool has = (std::is_same_v<M, Ms> || ...);

  template <typename M>
  requires has<M>
  static Bytes pack(const M& message) {
    Bytes out;
    Writer writer(out);
    writer.u8(id_of<M>());
    encode_fields(writer, message);
    return out;
  }

  // Truncated, Trailing, or BadValue (unknown id, or a field its codec refuses).
  static Result<Message> unpack(ByteView bytes) {
    Result<Message> result{Message()};
    const std::optional<Errc> why = decode(bytes, *result);
    if (why) result = Result<Message>(*why);
    return result;
  }

  static std::string_view name(const Message& message) {
    return std::visit(
        [](const auto& m) -> std::string_view {
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(m)>, std::monostate>)
            return "-";
          else
            return std::remove_cvref_t<decltype(m)>::kName;
        },
        message);
  }

  // The name of the kind that these bytes begin with, well-formed or not; "-": there is none.
  static std::string_view kind(ByteView bytes) {
    constexpr std::string_view kNames[] = {Ms::kName...};
    return !bytes.empty() && bytes[0] < kCount ? kNames[bytes[0]] : "-";
  }

  // How many descriptors must come with this message.
  static std::size_t descriptors(const Message& message) {
    return std::visit(
        [](const auto& m) { return descriptors_of<std::remove_cvref_t<decltype(m)>>(); }, message);
  }

  static constexpr std::uint32_t fingerprint() {
    std::uint32_t hash = 2166136261u;  // FNV-1a over names and field counts
    (mix<Ms>(hash), ...);
    return hash;
  }

 private:
  static std::optional<Errc> decode(ByteView bytes, Message& message) {
    Reader in(bytes);
    const std::uint8_t id = in.u8();
    if (!in.ok()) return Errc::Truncated;
    bool known = false;
    bool decoded = false;
    std::uint8_t at = 0;
    ((id == at++ ? (known = true, decoded = decode_one<Ms>(in, message)) : false), ...);
    if (!known) return Errc::BadValue;
    if (!in.ok()) return Errc::Truncated;
    if (!decoded) return Errc::BadValue;
    if (WATTLE_CHECKED(lane_trailing, in.left() != 0)) return Errc::Trailing;
    return std::nullopt;
  }

  template <typename M>
  static constexpr std::uint8_t id_of() {
    std::uint8_t at = 0;
    std::uint8_t id = 0;
    ((std::is_same_v<M, Ms> ? (id = at, ++at) : ++at), ...);
    return id;
  }

  template <typename M>
  static bool decode_one(Reader& in, Message& message) {
    return decode_fields(in, message.template emplace<M>());
  }

  template <typename M>
  static constexpr void mix(std::uint32_t& hash) {
    for (const char c : M::kName) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619u;
    hash =
        (hash ^ static_cast<std::uint32_t>(std::tuple_size_v<decltype(M::fields())>)) * 16777619u;
  }
};

// The first message each way: u32 fingerprint of the lane its writer sends on, u32 of the lane it
// reads. Channel does this by itself; tapd, which has its own loop, calls these.
inline Bytes pack_hello(std::uint32_t sends, std::uint32_t reads) {
  Bytes out;
  Writer(out).u32(sends).u32(reads);
  return out;
}
// True if `bytes` is the hello of an end that reads what we send and sends what we read.
inline bool hello_agrees(ByteView bytes, std::uint32_t sends, std::uint32_t reads) {
  return WATTLE_CHECKED(lane_hello, equal(bytes, pack_hello(reads, sends)));
}

// Overload set for std::visit on a Lane's Message. Give it a handler for std::monostate, too.
template <typename... Handlers>
struct Overload : Handlers... {
  using Handlers::operator()...;
};
template <typename... Handlers>
Overload(Handlers...) -> Overload<Handlers...>;  // clang 14 does not deduce aggregates

}  // namespace wattle::ipc
