#include "cryptod/core/path_words.h"

#include <algorithm>

namespace wattle::cryptod {

namespace {

std::string tenths(std::uint64_t value) {
  return std::to_string(value / 10) + '.' + std::to_string(value % 10);
}

}  // namespace

std::string milliseconds_text(std::uint32_t rtt_us) {
  return tenths((std::uint64_t{rtt_us} + 50) / 100) + " ms";
}

std::string seconds_text(Duration d) {
  const auto ms =
      std::max<std::int64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(d).count(), 0);
  if (ms >= 10000) return std::to_string(ms / 1000) + " s";
  return tenths(static_cast<std::uint64_t>(ms) / 100) + " s";
}

std::string list_text(std::span<const Endpoint> endpoints) {
  std::string out;
  for (const Endpoint& endpoint : endpoints) {
    if (!out.empty()) out += ", ";
    out += endpoint.text();
  }
  return out;
}

std::string way_text(EngineContext& context, const Peer& peer, const Path& path) {
  switch (path.kind) {
    case PathKind::Direct:
      return "direct way " + path.remote.text();
    case PathKind::Routed:
      if (const Peer* const hop = context.first_hop(peer))
        return "way through " + hop->address.text();
      return "way through others, of which none is known now";
    case PathKind::Carried:
      break;
  }
  return "way over its meta link";
}

std::string state_text(EngineContext& context, const Peer& peer) {
  const Instant now = context.now();
  const PathState& way = peer.way;
  std::string out;
  if (peer.current && peer.path) {
    out = "now: " + way_text(context, peer, *peer.path);
    if (way.left) out += ", silent";
    if (peer.rtt_us != 0) out += ", " + milliseconds_text(peer.rtt_us);
    if (way.heard_at != kLongAgo) out += ", heard " + seconds_text(now - way.heard_at) + " ago";
    if (way.waiting_since != kNever && way.unanswered > 0)
      out += ", " + std::to_string(way.unanswered) + " probes unanswered";
    if (way.try_at != kNever && !peer.path->is_direct())
      out += "; direct ways are tried again in " + seconds_text(way.try_at - now);
    if (way.punch && way.punch->next_at != kNever) out += "; hole punching is under way";
    return out;
  }
  if (peer.handshake)
    return "now: no session; " + std::to_string(peer.handshake->tries) +
           " handshakes sent, the next in " + seconds_text(peer.handshake->retry_at - now);
  if (!peer.member) return "now: no session; its key is not known here";
  if (peer.given_up) return "now: no session; it gave no answer to handshakes";
  return "now: no session; none is wanted";
}

}  // namespace wattle::cryptod
