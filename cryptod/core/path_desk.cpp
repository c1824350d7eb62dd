#include "cryptod/core/path_desk.h"

#include <algorithm>

#include "common/base/mutant.h"
#include "cryptod/core/path_words.h"
#include "cryptod/core/probe_body.h"

namespace wattle::cryptod {

namespace {

constexpr Duration kPauses[] = {std::chrono::seconds(5),  std::chrono::seconds(15),
                                std::chrono::seconds(30), std::chrono::seconds(60),
                                std::chrono::minutes(2),  std::chrono::minutes(5)};
constexpr Duration kAlive = std::chrono::seconds(3);  // heard so lately, a way is in order

std::uint32_t micros(Duration d) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(d).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(us, 1, UINT32_MAX));
}

}  // namespace

bool same_way(const Path& a, const Path& b) {
  return a.kind == b.kind && (!a.is_direct() || a.remote == b.remote);
}

// ---- what may be used ------------------------------------------------------------------------

bool PathDesk::may_go_direct(const Peer& peer) const {
  if ((peer.options & kOptionTcpOnly) != 0) return false;
  return peer.neighbour || (peer.options & kOptionIndirect) == 0;
}

bool PathDesk::exists(const Peer& peer, PathKind kind) const {
  if (kind == PathKind::Routed) return may_be_routed(peer) && ctx_.first_hop(peer) != nullptr;
  return kind == PathKind::Direct || (peer.neighbour && ctx_.meta_up);
}

bool PathDesk::allowed(const Peer& peer, const Path& path) const {
  if (path.is_direct()) return may_go_direct(peer) && own_.usable(path.remote);
  return exists(peer, path.kind);
}

std::size_t PathDesk::candidates(const Peer& peer, std::size_t round,
                                 std::span<Endpoint, kAtOnce> out) const {
  if (!may_go_direct(peer)) return 0;
  std::size_t count = 0;
  // A link-local address is of use only with the interface on which it was seen.
  const auto take = [&](const Endpoint& e) {
    if (count == out.size() || WATTLE_CHECKED(path_link_local, e.address.is_link_local()) ||
        !WATTLE_CHECKED(path_usable, own_.usable(e)))
      return;
    const auto end = out.begin() + static_cast<std::ptrdiff_t>(count);
    if (std::find(out.begin(), end, e) == end) out[count++] = e;
  };
  if (peer.way.lost_direct) take(peer.way.lost_direct->remote);
  const std::size_t all = peer.candidates.size();
  for (std::size_t i = 0; i < all; ++i) take(peer.candidates[(round * kAtOnce + i) % all]);
  return count;
}

// ---- questions and answers -------------------------------------------------------------------

void PathDesk::ask(Peer& peer, const Path& path, bool follow) {
  if (!peer.current || !peer.current->can_send(ctx_.now())) return;
  auto& trials = peer.way.trials;
  std::erase_if(trials, [&](const PathTrial& t) { return ctx_.now() >= t.sent + kTrialLife; });
  auto trial = std::find_if(trials.begin(), trials.end(),
                            [&](const PathTrial& t) { return same_way(t.path, path); });
  if (trial == trials.end()) {
    if (trials.size() == PathState::kTrials) trials.erase(trials.begin());
    trials.push_back({path, ctx_.random.u64(), ctx_.now()});
    trial = trials.end() - 1;
  } else {
    ++trial->asked;
    trial->sent = ctx_.now();
  }
  trial->follow |= follow;
  ByteArray<kProbeMost> body;
  const std::size_t size = build_probe({trial->nonce, false, {}}, body);
  ctx_.count(Counter::ProbesSent);
  const auto expects = peer.path && same_way(path, *peer.path) ? SessionKeeper::Expects::Answer
                                                               : SessionKeeper::Expects::Nothing;
  sessions_.send_on(peer, *peer.current, path, InnerType::Probe, ByteView(body).first(size),
                    expects);
}

bool PathDesk::answered(Peer& peer, const Path& from, std::uint64_t nonce) {
  PathState& way = peer.way;
  const auto place = std::find_if(way.trials.begin(), way.trials.end(), [&](const PathTrial& t) {
    return WATTLE_CHECKED(path_nonce, t.nonce == nonce) &&
           WATTLE_CHECKED(path_way, same_way(t.path, from)) && ctx_.now() < t.sent + kTrialLife;
  });
  if (place == way.trials.end()) return false;
  const PathTrial trial = *place;
  way.trials.erase(place);
  if (!peer.path || !allowed(peer, from)) return true;
  const std::uint32_t rtt = trial.asked == 1 ? micros(ctx_.now() - trial.sent) : 0;
  if (same_way(*peer.path, from)) {
    if (rtt != 0) peer.rtt_us = rtt;
    if (way.left) note(peer, way_text(ctx_, peer, from) + " answers again");
    way.rest(ctx_.now());
    if (*peer.path == from) return true;
    sessions_.set_path(peer, from);  // another address of ours
    ctx_.count(Counter::PathChanges);
    ctx_.mark_dirty(peer);
    return true;
  }
  const bool better = is_worse(*peer.path, from);
  if (!better && !way.left && !trial.follow) {
    if (way.unanswered > 0 && (!way.spare || !is_worse(from, *way.spare))) way.spare = from;
    return true;
  }
  if (rtt != 0) peer.rtt_us = rtt;
  change(peer, from);
  say_way(peer, {});
  return true;
}

// ---- what comes in ---------------------------------------------------------------------------

void PathDesk::heard(Peer& peer, const Path& from, bool newest) {
  PathState& way = peer.way;
  if (peer.path && same_way(*peer.path, from)) {
    if (way.left) {
      way.heard_at = ctx_.now();  // but do our packets arrive? Only an answer tells
    } else {
      way.rest(ctx_.now());
    }
    if (*peer.path == from) return;
  }
  if (newest && peer.path) consider(peer, from);
}

void PathDesk::consider(Peer& peer, const Path& from) {
  PathState& way = peer.way;
  if (is_worse(from, *peer.path) && !way.left) {
    sessions_.await(peer);  // it may have lost the way that we use: see whether that still carries
    return;
  }
  if (WATTLE_CHECKED(path_follow_pause, ctx_.now() < way.follow_at) ||
      !WATTLE_CHECKED(path_follow_allowed, allowed(peer, from)))
    return;
  way.follow_at = ctx_.now() + kFollowPause;
  ask(peer, from, true);
}

void PathDesk::traffic(Peer& peer) {
  peer.way.traffic_at = ctx_.now();
  if (peer.path && !peer.path->is_direct() && peer.way.try_at == kNever && may_go_direct(peer))
    ctx_.deadlines.lower(peer.slot, ctx_.now());
}

Path PathDesk::after_handshake(Peer& peer, const Path& from) const {
  const PathState& way = peer.way;
  const bool alive = peer.current && peer.path && !way.left && way.unanswered == 0 &&
                     ctx_.now() < way.heard_at + kAlive && allowed(peer, *peer.path);
  if (alive && is_worse(from, *peer.path)) return *peer.path;
  if ((from.is_direct() && !may_go_direct(peer)) ||
      (from.kind == PathKind::Routed && !may_be_routed(peer))) {
    if (exists(peer, PathKind::Routed)) return Path::routed();
    if (exists(peer, PathKind::Carried)) return Path::carried();
  }
  return from;
}

void PathDesk::adopted(Peer& peer) {
  PathState& way = peer.way;
  way.rest(ctx_.now());
  if (!way.said || !same_way(*way.said, *peer.path)) {
    arrived(peer);
    say_way(peer, "session made: ");
  }
}

void PathDesk::suspect(Peer& peer) {
  if (peer.way.waiting_since != kNever && peer.way.probe_at != kNever) return;
  peer.way.waiting_since = peer.way.probe_at = ctx_.now();
  ctx_.deadlines.lower(peer.slot, ctx_.now());
}

void PathDesk::unheard(Peer& peer) {
  PathState& way = peer.way;
  if (!peer.path || !peer.path->is_direct() || way.left) return;
  leave(peer);
  if (!way.left) return;
  // A route may be there as soon as metad has heard of it.
  way.waiting_since = ctx_.now();
  way.probe_at = ctx_.now() + kQuestionPause;
  ctx_.deadlines.lower(peer.slot, way.probe_at);
}

void PathDesk::hints_changed(Peer& peer, bool endpoints) {
  PathState& way = peer.way;
  if (!peer.current || !peer.path) return;
  if (peer.path->is_direct() && !may_go_direct(peer)) {
    if (way.left) return;
    note(peer, "its options forbid the direct way");
    way.left = true;  // whatever other way answers
    ask_others(peer);
  } else if (endpoints && !peer.path->is_direct()) {
    way.tries = 0;
    if (way.hinted_at <= ctx_.now())
      way.hinted_at = std::max(ctx_.now(), way.hinted_at + kHintPause);
    way.try_at = way.hinted_at;
    ctx_.deadlines.lower(peer.slot, way.try_at);
  }
}

void PathDesk::neighbour_changed(Peer& peer) {
  if (!peer.neighbour) own_.forget(peer);
  if (!peer.path || exists(peer, peer.path->kind)) return;
  // The way itself is no more; these two lead nowhere that a stranger could have chosen.
  if (exists(peer, PathKind::Carried)) {
    change(peer, Path::carried());
  } else if (exists(peer, PathKind::Routed)) {
    change(peer, Path::routed());
  } else {
    return;
  }
  say_way(peer, peer.neighbour ? "linked: " : "no longer linked: ");
}

// ---- the watch -------------------------------------------------------------------------------

void PathDesk::watch(Peer& peer) {
  PathState& way = peer.way;
  if (way.waiting_since == kNever || ctx_.now() < way.probe_at) return;
  if (!sessions_.can_send(peer) || (way.left && !peer.neighbour && !has_traffic(peer, kTraffic))) {
    way.waiting_since = way.probe_at = kNever;  // the next frame begins again
    return;
  }
  if (way.unanswered == kQuestions && !way.left) return leave(peer);
  ask(peer, *peer.path);
  if (way.unanswered > 0) ask_others(peer);
  if (!way.left) ++way.unanswered;
  way.probe_at = ctx_.now() + (way.left ? kLeftPause : kQuestionPause);
}

void PathDesk::ask_others(Peer& peer) {
  std::array<Endpoint, kAtOnce> endpoints;
  const std::size_t count = candidates(peer, peer.way.tries, endpoints);
  for (std::size_t i = 0; i < count; ++i) {
    const Path path = Path::direct(endpoints[i]);
    if (!same_way(path, *peer.path)) ask(peer, path);
  }
  for (const Path& path : {Path::routed(), Path::carried()})
    if (!same_way(path, *peer.path) && exists(peer, path.kind)) ask(peer, path);
}

void PathDesk::leave(Peer& peer) {
  PathState& way = peer.way;
  ctx_.count(Counter::PathsLeft);
  const std::string silent = way_text(ctx_, peer, *peer.path);
  if (peer.path->is_direct()) way.lost_direct = peer.path;
  if (way.spare && allowed(peer, *way.spare)) {
    change(peer, *way.spare);
    return say_way(peer, silent + " left: three probes unanswered; ");
  }
  way.left = true;
  note(peer, silent + ": three probes unanswered, and no other way answers");
  way.probe_at = ctx_.now() + kLeftPause;
  ask_others(peer);
}

void PathDesk::change(Peer& peer, const Path& path) {
  const bool lost = peer.path && peer.path->is_direct();
  sessions_.set_path(peer, path);
  ctx_.count(Counter::PathChanges);
  ctx_.mark_dirty(peer);
  peer.way.rest(ctx_.now());
  arrived(peer);
  if (lost && !path.is_direct()) {  // its endpoints have just been asked
    peer.way.tries = 1;
    peer.way.try_at = ctx_.now() + kPauses[0];
  }
}

// A way of another kind or to another place is in use now.
void PathDesk::arrived(Peer& peer) {
  PathState& way = peer.way;
  way.tries = way.notes = 0;
  way.try_at = way.judge_at = kNever;
  if (peer.path->is_direct()) {
    way.lost_direct.reset();
  } else {
    way.try_at = ctx_.now();
    ctx_.deadlines.lower(peer.slot, ctx_.now());
  }
}

// ---- direct ways -----------------------------------------------------------------------------

void PathDesk::try_direct(Peer& peer) {
  PathState& way = peer.way;
  if (way.judge_at <= ctx_.now()) {
    way.judge_at = kNever;
    note(peer, "tried " + list_text(way.tried) + ": no answer in " + seconds_text(kJudge));
  }
  const bool wanted = peer.current && peer.path && !peer.path->is_direct() && may_go_direct(peer) &&
                      (peer.neighbour || has_traffic(peer, kTraffic));
  if (!wanted) way.try_at = kNever;
  if (wanted && way.try_at == kNever) way.try_at = ctx_.now();
  if (ctx_.now() < way.try_at) return;
  std::array<Endpoint, kAtOnce> endpoints;
  const std::size_t count = candidates(peer, way.tries, endpoints);
  for (std::size_t i = 0; i < count; ++i) ask(peer, Path::direct(endpoints[i]));
  way.tried.assign(endpoints.begin(), endpoints.begin() + static_cast<std::ptrdiff_t>(count));
  way.judge_at = count == 0 ? kNever : ctx_.now() + kJudge;
  const Duration pause = kPauses[std::min(way.tries++, std::size(kPauses) - 1)];
  way.try_at = ctx_.now() + (peer.neighbour ? std::min(pause, kCarriedAgain) : pause);
}

// A NAT forgets a mapping that nothing has used for half a minute or more.
void PathDesk::keep_mapping(Peer& peer) {
  PathState& way = peer.way;
  const bool wanted = own_.behind_nat() && sessions_.can_send(peer) && peer.path->is_direct() &&
                      !peer.neighbour && has_traffic(peer, kNatTraffic);
  if (!wanted) {
    way.nat_at = kNever;
  } else if (way.nat_at <= ctx_.now()) {
    sessions_.send_empty(peer);
    way.nat_at = ctx_.now() + kNatPause;
  } else if (way.nat_at == kNever) {
    way.nat_at = ctx_.now() + kNatPause;
  }
}

// ---- time and words --------------------------------------------------------------------------

void PathDesk::due(Peer& peer) {
  watch(peer);
  try_direct(peer);
  keep_mapping(peer);
}

Instant PathDesk::next(const Peer& peer) const {
  const PathState& way = peer.way;
  return std::min({way.probe_at, way.try_at, way.judge_at, way.nat_at});
}

void PathDesk::too_big(Peer& peer, std::size_t size) {
  if (!peer.way.size.too_big(size, ctx_.now())) return;
  ctx_.count(Counter::PathsSmaller);
  note(peer, "packets of " + std::to_string(size) + " bytes are too long for " +
                 way_text(ctx_, peer, *peer.path) + "; at most " +
                 std::to_string(peer.way.size.at(ctx_.now())) + " for ten minutes");
}

void PathDesk::note(Peer& peer, std::string sentence) {
  peer.way.history.add(ctx_.now(), std::move(sentence));
}

void PathDesk::say_way(Peer& peer, std::string_view before) {
  std::string sentence(before);
  if (before.empty() || before.ends_with("; ")) sentence += "now ";
  sentence += way_text(ctx_, peer, *peer.path);
  const Punch* const punch = peer.way.punch.get();
  const bool punched = peer.path->is_direct() && punch != nullptr && punch->next_at != kNever;
  if (punched) sentence += " by hole punching";
  if (peer.rtt_us != 0) sentence += ", " + milliseconds_text(peer.rtt_us);
  peer.way.said = peer.path;
  if (peer.path->is_direct()) peer.way.punch.reset();
  note(peer, std::move(sentence));
}

}  // namespace wattle::cryptod
