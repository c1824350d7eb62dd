#include "cryptod/core/wire_header.h"

#include "common/base/mutant.h"
#include "common/base/writer.h"

namespace wattle::cryptod {

std::string_view check_name(WireCheck check) {
  switch (check) {
    case WireCheck::Accept:
      return "accept";
    case WireCheck::Length:
      return "length";
    case WireCheck::Header:
      return "header";
    case WireCheck::Recipient:
      return "recipient";
    case WireCheck::Type:
      return "type";
    case WireCheck::Epoch:
      return "epoch";
    case WireCheck::Mac1:
      return "mac1";
    case WireCheck::Mac2:
      return "mac2";
    case WireCheck::Mac2Zero:
      return "mac2_zero";
    case WireCheck::Stale:
      return "stale";
    case WireCheck::Point:
      return "point";
    case WireCheck::TagC1:
      return "tag_c1";
    case WireCheck::TagC2:
      return "tag_c2";
    case WireCheck::TagC3:
      return "tag_c3";
    case WireCheck::Tag:
      return "tag";
    case WireCheck::KeyMismatch:
      return "key_mismatch";
    case WireCheck::Self:
      return "self";
    case WireCheck::Sender:
      return "sender";
    case WireCheck::Replay:
      return "replay";
    case WireCheck::ReceiverIndex:
      return "receiver_index";
    case WireCheck::CounterLimit:
      return "counter_limit";
    case WireCheck::PkrEpoch:
      return "pkr_epoch";
  }
  WATTLE_UNREACHABLE();
}

void write_header(MutableBytes out, WireType type, const ShortId& sender, const ShortId& recipient,
                  std::uint64_t field) {
  FixedWriter(out.first(kHeaderSize))
      .zeros(2)
      .u64(field)
      .bytes(sender)
      .bytes(recipient)
      .u8(0)
      .u8(static_cast<std::uint8_t>(type));
}

WireCheck check_header(ByteView datagram, WireType type, const ShortId& me, std::size_t size) {
  if (datagram.size() < kHeaderSize) return WireCheck::Length;
  if (WATTLE_CHECKED(wire_flags, header_flags(datagram) != 0)) return WireCheck::Header;
  if (!WATTLE_CHECKED(wire_recipient, equal(header_recipient(datagram), me)))
    return WireCheck::Recipient;
  if (WATTLE_CHECKED(wire_type, header_type(datagram) != static_cast<std::uint8_t>(type)))
    return WireCheck::Type;
  const bool transport = type == WireType::Transport;
  if (transport ? datagram.size() < size : datagram.size() != size) return WireCheck::Length;
  if (WATTLE_CHECKED(wire_peer_ids, datagram[26] != 0)) return WireCheck::Header;
  if (!transport && WATTLE_CHECKED(wire_mac_field, read_u64(datagram, 2) != 0))
    return WireCheck::Header;
  return WireCheck::Accept;
}

std::uint32_t read_u32(ByteView d, std::size_t at) {
  return std::uint32_t{d[at]} << 24 | std::uint32_t{d[at + 1]} << 16 |
         std::uint32_t{d[at + 2]} << 8 | d[at + 3];
}

std::uint64_t read_u64(ByteView d, std::size_t at) {
  return std::uint64_t{read_u32(d, at)} << 32 | read_u32(d, at + 4);
}

}  // namespace wattle::cryptod
