// The stale-key notice (security.md 2.5.3, vectors' decisions 9 and 16): told to whoever knocks
// with a record of ours whose private half is gone, and what becomes of one that we are told.
#include "common/base/mutant.h"
#include "cryptod/core/handshake_flow.h"

namespace wattle::cryptod {

// mac1 was right, so the sender holds that record; once per message 1, which is eight times larger.
void HandshakeFlow::tell_stale(const LocalKey& used, const Received& d) {
  const LocalKey* const newest = ctx_.self.key();
  if (newest == nullptr || newest->epoch <= used.epoch) return;
  if (!WATTLE_CHECKED(stale_rate, notices_.take(ctx_.now())))
    return ctx_.count(Counter::DropHandshakeBudget);
  const MutableBytes out = ctx_.out->allocate(kStaleSize);
  if (out.empty()) return ctx_.count(Counter::DropNoBuffer);
  ByteArray<16> salt{};
  ctx_.random.fill(salt);
  seal_note(WireType::Stale, used.record, d.bytes, salt, ByteView(newest->record).subspan(64, 8),
            out);
  ctx_.count(Counter::StaleTold);
  sessions_.send_back(d, out);
}

// A hint: it makes us ask, with the number after the one that we verified and never with the one it
// names, once for each message 1 of ours. The handshake under way stays as it is until a newer
// record verifies: a holder of the old record can forge this.
void HandshakeFlow::stale(const Received& d) {
  if (d.bytes.size() != kStaleSize) return refuse(WireCheck::Length);
  const std::uint32_t index = read_u32(d.bytes, kHeaderSize);
  const auto place = ctx_.indices.find(index);
  if (place == ctx_.indices.end()) return refuse(WireCheck::ReceiverIndex);
  Peer& peer = ctx_.peers.at(place->second);
  if (!peer.handshake || peer.handshake->initiator.index() != index || !peer.seen)
    return refuse(WireCheck::ReceiverIndex);
  std::uint64_t named = 0;
  const WireCheck check = peer.handshake->initiator.stale(d.bytes, named);
  if (check != WireCheck::Accept) return refuse(check);
  if (WATTLE_CHECKED(stale_once, peer.handshake->told_stale)) return refuse(WireCheck::Replay);
  peer.handshake->told_stale = true;
  ctx_.count(Counter::StaleHeard);
  if (peer.seen->epoch > peer.handshake->initiator.epoch()) return begin_anew(peer);
  peer.stale = true;
  members_.ask_now(peer, peer.seen->epoch + 1);
}

}  // namespace wattle::cryptod
