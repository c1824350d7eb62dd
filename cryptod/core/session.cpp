#include "cryptod/core/session.h"

#include "common/base/mutant.h"
#include "common/base/writer.h"

namespace wattle::cryptod {

Session::Session(SessionKeys keys, Instant now)
    : seal_(keys.send.view(), crypto::Aead::Use::Seal),
      open_(keys.receive.view(), crypto::Aead::Use::Open),
      me_(keys.me),
      peer_(keys.peer),
      my_index_(keys.my_index),
      peer_index_(keys.peer_index),
      id_(keys.id),
      initiator_(keys.initiator),
      born_(now) {}

bool Session::wants_rekey(Instant now) const {
  return now >= born_ + kRekeyAfter || next_counter_ >= kRekeyFrames || bytes_ >= kRekeyBytes;
}

std::size_t Session::seal(InnerType type, ByteView body, MutableBytes out) {
  const std::size_t size = kTransportOverhead + body.size();
  FixedWriter(out.subspan(kTransportBody)).bytes(body);
  seal_in_place(type, out.first(size));
  return size;
}

void Session::seal_in_place(InnerType type, MutableBytes out) {
  WATTLE_CHECK(next_counter_ < kCounterLimit && out.size() >= kTransportOverhead);
  const std::uint64_t counter = next_counter_++;
  write_header(out, WireType::Transport, me_, peer_, counter);
  FixedWriter(out.subspan(kHeaderSize, 5)).u32(peer_index_).u8(static_cast<std::uint8_t>(type));
  const MutableBytes sealed = out.subspan(kTransportHeader);
  const MutableBytes text = sealed.first(sealed.size() - crypto::kTagSize);
  seal_.seal(counter, out.subspan(1, kTransportHeader - 1), text, sealed);
  bytes_ += text.size() - 1;
}

WireCheck Session::open(MutableBytes d, Opened& out) {
  const WireCheck header = check_header(d, WireType::Transport, me_, kTransportOverhead);
  if (header != WireCheck::Accept) return header;
  if (WATTLE_CHECKED(session_index, read_u32(d, kHeaderSize) != my_index_))
    return WireCheck::ReceiverIndex;
  if (!WATTLE_CHECKED(session_sender, equal(header_sender(d), peer_))) return WireCheck::Sender;
  const std::uint64_t counter = read_u64(d, 2);
  if (WATTLE_CHECKED(session_counter_limit, counter >= kCounterLimit))
    return WireCheck::CounterLimit;
  if (!WATTLE_CHECKED(session_replay, window_.fresh(counter))) return WireCheck::Replay;
  const MutableBytes sealed = d.subspan(kTransportHeader);
  const MutableBytes text = sealed.first(sealed.size() - crypto::kTagSize);
  if (!WATTLE_CHECKED(session_tag,
                      open_.open(counter, d.subspan(1, kTransportHeader - 1), sealed, text))) {
    ++tag_failures_;
    return WireCheck::Tag;
  }
  out.newest = window_.commit(counter);
  out.counter = counter;
  out.type = text[0];
  out.body = text.subspan(1);
  return WireCheck::Accept;
}

}  // namespace wattle::cryptod
