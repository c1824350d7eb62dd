#include "cryptod/core/handshake_macs.h"

#include "common/base/mutant.h"
#include "common/base/secret.h"
#include "common/base/writer.h"
#include "common/crypto/aead.h"
#include "common/proto/packet_key.h"

namespace wattle::cryptod {

namespace {

constexpr std::string_view kMac1Label{"wattle/mac1\0", 12};
constexpr std::string_view kCookieLabel{"wattle/cookie\0", 14};
constexpr std::string_view kStaleLabel{"wattle/stale\0", 13};
constexpr std::size_t kNoteSalt = 32, kNoteSealed = 48;
constexpr std::size_t kMac1At = kMessage1Size - 2 * kMacSize;

Mac first_half(const crypto::Hash& hash) { return to_array<kMacSize>(hash); }

Secret<32> note_key(WireType type, ByteView record, ByteView salt, ByteView message1) {
  const std::string_view label = type == WireType::Cookie ? kCookieLabel : kStaleLabel;
  const crypto::Hash input = crypto::sha256({as_bytes(label), record.first(kPacketKeyBody)});
  Secret<32> key;
  crypto::hkdf_sha256(salt, input, message1.subspan(kMac1At, kMacSize), key.mutable_bytes());
  return key;
}

ShortId short_id_of(ByteView bytes) { return to_array<8>(bytes); }

}  // namespace

crypto::Hash mac1_key(ByteView record) {
  return crypto::sha256({as_bytes(kMac1Label), record.first(kPacketKeyBody)});
}

Mac mac1(const crypto::Hash& key, ByteView before) {
  return first_half(crypto::hmac_sha256(key, before.subspan(1)));
}

Mac mac2(const Mac& cookie, ByteView before) {
  return first_half(crypto::hmac_sha256(cookie, before.subspan(1)));
}

Mac cookie_value(ByteView secret32, const Endpoint& source, const ShortId& relay, ByteView sender) {
  ByteArray<18> place{};
  FixedWriter out(place);
  if (source.address.is_v4()) out.zeros(10).u16(0xffff);
  out.bytes(source.address.view()).u16(source.port);
  return first_half(crypto::hmac_sha256(secret32, {place, relay, sender}));
}

void seal_note(WireType type, ByteView record, ByteView message1, const ByteArray<16>& salt,
               ByteView text, MutableBytes out) {
  write_header(out, type, short_id_of(header_recipient(message1)),
               short_id_of(header_sender(message1)));
  FixedWriter(out.subspan(kHeaderSize)).bytes(message1.subspan(kHeaderSize, 4)).bytes(salt);
  const Secret<32> key = note_key(type, record, salt, message1);
  crypto::Aead(key.view(), crypto::Aead::Use::Seal)
      .seal(0, out.subspan(1, kNoteSealed - 1), text, out.subspan(kNoteSealed));
}

WireCheck open_note(WireType type, ByteView record, ByteView message1, ByteView note,
                    MutableBytes text) {
  const std::size_t size = type == WireType::Cookie ? kCookieSize : kStaleSize;
  const WireCheck header = check_header(note, type, short_id_of(header_sender(message1)), size);
  if (header != WireCheck::Accept) return header;
  if (!WATTLE_CHECKED(note_index,
                      equal(note.subspan(kHeaderSize, 4), message1.subspan(kHeaderSize, 4))))
    return WireCheck::ReceiverIndex;
  if (!WATTLE_CHECKED(note_sender, equal(header_sender(note), header_recipient(message1))))
    return WireCheck::Sender;
  const Secret<32> key = note_key(type, record, note.subspan(kNoteSalt, 16), message1);
  crypto::Aead aead(key.view(), crypto::Aead::Use::Open);
  return WATTLE_CHECKED(note_tag, aead.open(0, note.subspan(1, kNoteSealed - 1),
                                            note.subspan(kNoteSealed), text))
             ? WireCheck::Accept
             : WireCheck::Tag;
}

}  // namespace wattle::cryptod
