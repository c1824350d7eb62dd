#include "cryptod/core/packer.h"

#include <algorithm>

#include "common/base/mutant.h"
#include "common/base/writer.h"

namespace wattle::cryptod {

namespace {

constexpr std::size_t kWord = 2;
constexpr std::uint16_t kUnsummed = 0x8000;

}  // namespace

MutableBytes Packer::reserve(Peer& peer, bool unsummed, std::size_t size) {
  if (size > kSmall || !sessions_.can_send(peer) || !peer.current->peer_takes(kTakesPacks))
    return {};
  const std::size_t needed = kWord + size;
  const auto begin = open_.begin(), end = begin + static_cast<std::ptrdiff_t>(count_);
  auto at = std::find_if(begin, end, [&](const Open& o) { return o.peer == &peer; });
  if (at != end &&
      (kTransportOverhead + at->used + needed > at->datagram.size() || at->frames == kMostFrames)) {
    close(static_cast<std::size_t>(at - begin));
    at = begin + static_cast<std::ptrdiff_t>(count_);
  } else if (at == end && count_ == kOpen) {
    close(0);
    at = begin + static_cast<std::ptrdiff_t>(count_);
  }
  if (at == begin + static_cast<std::ptrdiff_t>(count_)) {
    const MutableBytes datagram = sessions_.make_room(sessions_.room(peer));
    if (datagram.empty()) return {};
    *at = {&peer, datagram, 0, 0};
    ++count_;
  }
  const MutableBytes place = at->datagram.subspan(kTransportBody + at->used, needed);
  FixedWriter(place).u16(static_cast<std::uint16_t>(size | (unsummed ? kUnsummed : 0)));
  at->used += needed;
  ++at->frames;
  return place.subspan(kWord);
}

void Packer::send(const Peer& peer) {
  for (std::size_t i = 0; i < count_; ++i)
    if (open_[i].peer == &peer) return close(i);
}

void Packer::send_all() {
  while (count_ != 0) close(0);
}

// The others keep their order.
void Packer::close(std::size_t i) {
  const Open open = open_[i];
  std::move(open_.begin() + static_cast<std::ptrdiff_t>(i) + 1,
            open_.begin() + static_cast<std::ptrdiff_t>(count_),
            open_.begin() + static_cast<std::ptrdiff_t>(i));
  --count_;
  if (!sessions_.can_send(*open.peer)) return ctx_.count(Counter::DropQueueFull, open.frames);
  if (open.frames > 1) {
    ctx_.count(Counter::TxPacked, open.frames);
    open.peer->tx_frames += open.frames - 1;
    return sessions_.send_room(*open.peer, InnerType::Pack,
                               open.datagram.first(kTransportOverhead + open.used));
  }
  // Alone after all: as a frame of its own.
  const MutableBytes body = open.datagram.subspan(kTransportBody, open.used);
  const bool unsummed = (body[0] & (kUnsummed >> 8)) != 0;
  std::copy(body.begin() + kWord, body.end(), body.begin());
  sessions_.send_room(*open.peer, unsummed ? InnerType::Unsummed : InnerType::Frame,
                      open.datagram.first(kTransportOverhead + open.used - kWord));
}

std::optional<Packed> take_packed(ByteView& body) {
  if (WATTLE_CHECKED(pack_word, body.size() < kWord)) return std::nullopt;
  const std::uint16_t word = static_cast<std::uint16_t>(body[0] << 8 | body[1]);
  const std::size_t size = word & ~kUnsummed;
  if (WATTLE_CHECKED(pack_length, size > body.size() - kWord)) return std::nullopt;
  const Packed out{(word & kUnsummed) != 0, body.subspan(kWord, size)};
  body = body.subspan(kWord + size);
  return out;
}

}  // namespace wattle::cryptod
