#include "cryptod/core/punch_desk.h"

#include <algorithm>

#include "common/base/mutant.h"
#include "cryptod/core/path_words.h"

namespace wattle::cryptod {

// When our endpoints are told next: while frames flow another way than straight.
Instant PunchDesk::note_at(const Peer& peer) const {
  if (!sessions_.can_send(peer) || peer.path->is_direct() || !paths_.may_go_direct(peer) ||
      !paths_.has_traffic(peer, kFlowing))
    return kNever;
  Duration pause = kNotePause;
  for (std::size_t i = 1; i < peer.way.notes && pause < kNoteMost; ++i) pause *= 2;
  return peer.way.note_sent_at + std::min<Duration>(pause, kNoteMost);
}

void PunchDesk::send_note(Peer& peer) {
  peer.way.note_sent_at = ctx_.now();
  ++peer.way.notes;
  const EndpointNote note{own_.all(EndpointNote::kMost),
                          own_.changing() ? PunchMode::Changing : PunchMode::Simultaneous};
  if (note.endpoints.empty()) return;
  ctx_.count(Counter::NotesSent);
  sessions_.send_on(peer, *peer.current, *peer.path, InnerType::Endpoints,
                    build_endpoint_note(note), SessionKeeper::Expects::Nothing);
}

bool PunchDesk::endpoints(Peer& peer, ByteView body) {
  auto note = parse_endpoint_note(body);
  if (!note) return false;
  ctx_.count(Counter::NotesHeard);
  PathState& way = peer.way;
  const bool straight = peer.path && peer.path->is_direct() && !way.left && way.unanswered == 0;
  if (!sessions_.can_send(peer) || !paths_.may_go_direct(peer) || straight ||
      WATTLE_CHECKED(note_pause, ctx_.now() < way.note_heard_at + kHearPause)) {
    ctx_.count(Counter::DropNote);
    return true;
  }
  way.note_heard_at = ctx_.now();
  std::erase_if(note->endpoints, [&](const Endpoint& e) {
    return WATTLE_CHECKED(note_local, e.address.is_loopback() || e.address.is_link_local()) ||
           !WATTLE_CHECKED(note_usable, own_.usable(e));
  });
  const bool reply = ctx_.now() >= way.note_sent_at + kNotePause;
  if (reply) send_note(peer);
  if (note->endpoints.empty()) return true;
  way.punch = std::make_unique<Punch>();
  Punch& punch = *way.punch;
  punch.targets = std::move(note->endpoints);
  punch.changing = note->mode == PunchMode::Changing;
  punch.began = ctx_.now();
  for (const Endpoint& to : punch.targets) send_opener(peer, to);
  // Who answers begins to ask only when the other side has got the answer and opened its NAT: a
  // question that comes before that may spoil the mapping there.
  punch.step = reply ? 1 : 0;
  punch.next_at = punch.began + kSteps[punch.step];
  ctx_.deadlines.lower(peer.slot, punch.next_at);
  return true;
}

void PunchDesk::send_opener(Peer& peer, const Endpoint& to) {
  if (!WATTLE_CHECKED(punch_rate, packets_.take(ctx_.now())))
    return ctx_.count(Counter::PunchesPaced);
  ctx_.count(Counter::PunchPackets);
  const std::size_t before = ctx_.out->datagrams.size();
  sessions_.send_on(peer, *peer.current, Path::direct(to), InnerType::Empty, {},
                    SessionKeeper::Expects::Nothing);
  if (ctx_.out->datagrams.size() != before) ctx_.out->datagrams.back().ttl = kOpenerTtl;
}

void PunchDesk::step(Peer& peer) {
  Punch& punch = *peer.way.punch;
  for (const Endpoint& to : punch.targets) {
    if (!WATTLE_CHECKED(punch_step_rate, packets_.take(ctx_.now()))) {
      ctx_.count(Counter::PunchesPaced);
      continue;
    }
    ctx_.count(Counter::PunchPackets);
    paths_.ask(peer, Path::direct(to));
  }
  ++punch.step;
  punch.next_at =
      punch.began + (punch.step < kSteps.size() ? kSteps[punch.step] : kSteps.back() + kJudge);
}

// Nothing has answered: a direct way would have ended this.
void PunchDesk::judge(Peer& peer) {
  Punch& punch = *peer.way.punch;
  punch.next_at = kNever;
  std::string sentence = "hole punching to " + list_text(punch.targets) + ": no answer";
  if (punch.changing) sentence += "; its NAT gives each destination another port";
  if (own_.changing()) sentence += "; our NAT gives each destination another port";
  paths_.note(peer, std::move(sentence));
}

void PunchDesk::due(Peer& peer) {
  if (note_at(peer) <= ctx_.now()) send_note(peer);
  Punch* const punch = peer.way.punch.get();
  if (punch == nullptr || ctx_.now() < punch->next_at) return;
  if (!sessions_.can_send(peer) || (peer.path->is_direct() && !peer.way.left))
    punch->next_at = kNever;
  else if (punch->step < kSteps.size())
    step(peer);
  else
    judge(peer);
}

Instant PunchDesk::next(const Peer& peer) const {
  const Instant punch = peer.way.punch ? peer.way.punch->next_at : kNever;
  return std::min(punch, note_at(peer));
}

}  // namespace wattle::cryptod
