// Everything kept about one other member: what metad said of it (hints), what was verified, its
// sessions, its path and its clocks. Plain data; the flows (*_flow.h) act on it.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "common/base/token_bucket.h"
#include "common/ipc/meta_link.h"
#include "common/proto/acceptance.h"
#include "cryptod/core/handshake_initiator.h"
#include "cryptod/core/handshake_responder.h"
#include "cryptod/core/path_state.h"
#include "cryptod/core/pending_queue.h"
#include "cryptod/core/session.h"

namespace wattle::cryptod {

inline constexpr std::uint32_t kNoSlot = UINT32_MAX;

// A member whose record and credential passed the acceptance list.
struct VerifiedMember {
  PacketKeyBytes record{};
  CredentialBytes credential_bytes{};
  PacketKeyRecord key;
  Credential credential;
};

// An own handshake under way: the newest message 1 and when the first one left.
struct PendingHandshake {
  Initiator initiator;
  Instant first;  // of this series of tries
  Instant sent;   // this try
  Instant retry_at;
  std::uint32_t tries = 1;
  bool told_stale = false;   // its answer was a stale-key notice
  bool told_cookie = false;  // a cookie; it has been sent once more
};

struct Peer {
  Peer(std::uint32_t slot_, const NodeAddress& address_)
      : slot(slot_), address(address_), id(address_.short_id()) {}

  const std::uint32_t slot;
  const NodeAddress address;
  const ShortId id;

  // Hints from metad.
  bool hinted = false;     // metad hears of it
  bool hint_held = false;  // an earlier metad did, this one has not said so yet
  std::vector<Endpoint> candidates;
  std::uint32_t options = 0;                      // of its origin record
  std::unique_ptr<meta_link::Member> unverified;  // newest, waits for the verify budget

  // Verified. `seen` and `mark` outlive the member and the sessions: they stop replays.
  std::unique_ptr<VerifiedMember> member;
  std::optional<SeenRecord> seen;
  std::optional<HandshakeMark> mark;

  // Sessions: `next` is ours as responder and not confirmed yet.
  std::unique_ptr<Session> current, previous, next;
  std::uint32_t live_at = kNoSlot;  // PeerTable's: place among those with a current one
  Instant previous_until = kNever;
  Instant next_until = kNever;
  std::unique_ptr<PendingHandshake> handshake;
  std::uint32_t confirm_left =
      0;  // how often the confirmation is repeated while nothing comes back
  Instant confirm_at = kNever;
  Instant start_at = kNever;  // a start that waits for the handshake budget
  Instant given_up_at{};      // multicast does not wake a peer that gave no answer lately
  bool given_up = false;
  bool wanted = false;  // though no frame waits: it had a session before our start, or a ping asks
  Instant return_until{};  // it had: until then tries follow each other quickly

  std::optional<Path> path;  // the way in use; SessionKeeper::set_path() changes it
  PathState way;             // PathDesk's

  // Relaying. `link_way` and `neighbour` are the neighbour watch's, `path` is set by SessionKeeper.
  bool neighbour = false;  // metad has a link with it: a session is kept, the table may name it
  std::uint32_t watched_at = kNoSlot;  // its place in the watch
  meta_link::LinkWay link_way = meta_link::LinkWay::Down;
  Instant heard_at{};  // something valid came on a session of it
  // Handshakes that it began while our session was young, since it last showed that it hears us on
  // the direct way, and when the first one came.
  std::uint32_t anew = 0;
  Instant anew_at{};
  std::optional<TokenBucket> relay_budget;  // bytes it may have relayed
  Instant refuse_at{};                      // not told of a refusal before that
  std::uint32_t came_by = kNoSlot;          // who relayed its last datagram, and when
  Instant came_at = kLongAgo;
  Instant heed_at{};  // its refusals are not heeded before that

  // Asking metad for its key.
  bool stale = false;        // KEY_CHANGED: there may be a newer one than `seen`
  Instant want_at = kNever;  // not before; kNever: never asked
  Duration want_pause{};

  Instant keepalive_at = kNever;   // something came and nothing has been sent since
  Instant unanswered_at = kNever;  // something was sent and nothing has come since: give it up then
  TokenBucket records{1, 4};       // Records messages worth a verification
  PendingQueue queue;

  // For PeerState.
  meta_link::SessionState reported = meta_link::SessionState::None;
  std::uint64_t since = 0;
  bool dirty = false;
  std::uint32_t rtt_us = 0;
  std::uint64_t rx_bytes = 0, tx_bytes = 0, rx_frames = 0, tx_frames = 0;

  meta_link::SessionState state() const {
    if (current) return meta_link::SessionState::Live;
    return handshake || next ? meta_link::SessionState::Handshake : meta_link::SessionState::None;
  }
  bool is_verified() const { return member || seen || mark; }
  // Nothing is known of it but what metad said, and it says so no more.
  bool is_blank() const {
    return !hinted && !neighbour && !wanted && !unverified && !is_verified() && !current &&
           !previous && !next && !handshake && start_at == kNever && queue.empty() && !dirty;
  }
  Session* by_index(std::uint32_t index) const {
    for (const auto* s : {&current, &next, &previous})
      if (*s && (*s)->my_index() == index) return s->get();
    return nullptr;
  }
};

}  // namespace wattle::cryptod
