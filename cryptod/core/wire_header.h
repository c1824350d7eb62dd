// The 28-byte Anode header and the sizes of our own datagrams (man/wattle-wire.7; layouts from
// reference/vectors). Byte 0, the hop count, is covered by nothing; everything else is.
#pragma once

#include <string_view>

#include "common/base/bytes.h"
#include "common/proto/node_address.h"

namespace wattle::cryptod {

inline constexpr std::size_t kHeaderSize = 28;
inline constexpr std::size_t kMessage1Size = 594;
inline constexpr std::size_t kMessage2Size = 117;
inline constexpr std::size_t kStaleSize = 72;
inline constexpr std::size_t kCookieSize = 80;
inline constexpr std::size_t kTransportHeader = 32;    // header and receiver index
inline constexpr std::size_t kTransportBody = 33;      // and inner type
inline constexpr std::size_t kTransportOverhead = 49;  // header, index, inner type, tag
inline constexpr std::size_t kMacSize = 16;            // of mac1 and mac2

enum class WireType : std::uint8_t {
  Message1 = 0x20,
  Message2 = 0x21,
  Stale = 0x22,
  Cookie = 0x23,
  Transport = 0x26,
};

// Of the numbers between them, kept for later.
inline bool is_reserved(std::uint8_t type) { return type == 0x24 || type == 0x25; }

enum class InnerType : std::uint8_t {
  Empty = 0,      // confirmation or keepalive: nothing, or one byte of what is taken (session.h)
  Frame = 1,      // between the two nodes' own MACs: ethertype || payload
  FullFrame = 2,  // with its Ethernet header
  Fragment = 3,   // of a frame that is longer than a datagram (fragments.h)
  Probe = 4,      // probe_body.h
  Endpoints = 5,  // endpoint_note.h
  Records = 6,    // PKR, or PKR || CRED
  Refusal = 8,    // code || short id: not relayed, and why
  Unsummed = 9,   // as Frame, a TCP or UDP segment whose checksums the receiver makes
  Pack = 10,      // several of both (packer.h)
};

// The first check that refused a datagram; check_name() gives the spelling of tests/vectors.
enum class WireCheck : std::uint8_t {
  Accept,
  Length,
  Header,
  Recipient,
  Type,
  Epoch,
  Mac1,
  Mac2,
  Mac2Zero,
  Stale,
  Point,
  TagC1,
  TagC2,
  TagC3,
  Tag,
  KeyMismatch,
  Self,
  Sender,
  Replay,
  ReceiverIndex,
  CounterLimit,
  PkrEpoch,
};
std::string_view check_name(WireCheck check);

// hops 0, both ids short, no peer ids. `field` is zero but in TRANSPORT, where it is the counter.
void write_header(MutableBytes out, WireType type, const ShortId& sender, const ShortId& recipient,
                  std::uint64_t field = 0);

// Length of a header, flags, recipient, type, length of the whole (at least `size` for TRANSPORT,
// else exactly), peer ids and MAC field, in this order.
WireCheck check_header(ByteView datagram, WireType type, const ShortId& me, std::size_t size);

// Fields of a datagram of at least kHeaderSize bytes.
inline std::uint8_t header_hops(ByteView d) { return d[0]; }
inline std::uint8_t header_flags(ByteView d) { return d[1]; }
inline std::uint8_t header_type(ByteView d) { return d[27]; }
inline ByteView header_sender(ByteView d) { return d.subspan(10, 8); }
inline ByteView header_recipient(ByteView d) { return d.subspan(18, 8); }

std::uint32_t read_u32(ByteView d, std::size_t at);  // big-endian, bounds known to the caller
std::uint64_t read_u64(ByteView d, std::size_t at);

}  // namespace wattle::cryptod
