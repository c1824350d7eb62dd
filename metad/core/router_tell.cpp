// Dirty sets, the first dump with its END, retractions with their barriers, tickets.
#include <algorithm>
#include <utility>

#include "metad/core/router.h"

namespace wattle::metad {

void Router::mark_all(DestinationId id, bool urgent, Instant now) {
  if (id != kOwn && !config_.transit) return;
  for (const auto& [link, adjacency] : links_) {
    adjacencies_[adjacency].mark(id, urgent, now, kUrgent, kCalm);
  }
}

// The route in use has another seqno than the one that the links were told. All must hear of it
// only if it comes with a record that says something new.
void Router::tell_newer(DestinationId id, Instant now) {
  Destination& d = table_[id];
  if (d.standing.seqno < d.news && d.news <= d.chosen.seqno) {
    if (id != kOwn) stand(id);
    mark_all(id, true, now);
    return;
  }
  if (std::exchange(d.is_wanted, false)) {
    for (const auto& [link, adjacency] : links_) {
      Adjacency& a = adjacencies_[adjacency];
      if (a.told.size() <= id || a.told[id].wanted == 0) continue;
      if (a.told[id].wanted <= d.chosen.seqno) {
        a.mark(id, true, now, kUrgent, kCalm);
      } else {
        d.is_wanted = true;
      }
    }
  }
  if (d.spread_at == kNever) d.spread_at = now + kSpread;
}

void Router::flush(AdjacencyId id, Instant now) {
  if (!adjacencies_[id].is_linked()) return;
  if (!adjacencies_[id].congested) {
    for (const auto level : {Told::Dirty::Urgent, Told::Dirty::Calm}) {
      Adjacency& a = adjacencies_[id];
      const bool urgent = level == Told::Dirty::Urgent;
      Instant& at = urgent ? a.urgent_at : a.calm_at;
      if (at > now) continue;
      at = kNever;
      a.flushed_at = now;
      std::vector<DestinationId> due = std::move(urgent ? a.urgent : a.calm);
      (urgent ? a.urgent : a.calm).clear();
      for (const DestinationId d : due) {
        if (adjacencies_[id].told_of(d).dirty == level) tell(id, d, now);
      }
    }
  }
  Adjacency& a = adjacencies_[id];
  if (a.barrier_at <= now && !a.barrier_outstanding && a.end_sent) ask_barrier(a);
  complete_dump(a);
}

void Router::tell(AdjacencyId id, DestinationId destination, Instant now) {
  Adjacency& a = adjacencies_[id];
  Destination& d = table_[destination];
  Told& told = a.told[destination];
  told.dirty = Told::Dirty::No;
  const bool own = destination == kOwn;
  const bool reachable = d.used && (own ? own_seqno_ != 0 : config_.transit && d.is_reachable());
  if (reachable) {
    if (!own &&
        (has_moved(d) || told.wanted > d.standing.seqno || told.distance.metric == kUnreachable)) {
      stand(destination);
    }
    if (!d.acknowledged) {
      told.dirty = Told::Dirty::Blocked;
      return;
    }
    if (told.distance != d.standing) {
      if (told.is_settled()) ++d.told_on;
      const bool with_record = told.record < d.standing.seqno;
      actions_.push_back(Announce{a.link, d.address, d.standing, with_record});
      told.distance = d.standing;
      if (with_record) told.record = d.standing.seqno;
      if (told.wanted <= d.standing.seqno) told.wanted = 0;
      told.barrier = 0;
    }
  } else if (told.distance.metric != kUnreachable) {
    actions_.push_back(Retract{a.link, d.address});
    told.distance = {};
    told.record = 0;
    told.barrier = a.last_barrier + 1;
    a.retracted.push_back(destination);
    a.barrier_at = std::min(a.barrier_at, now + kBarrierDelay);
  }
  if (told.first_dump) {
    told.first_dump = false;
    --a.first_dump;
  }
}

void Router::ask_barrier(Adjacency& a) {
  a.barrier_outstanding = true;
  a.barrier_covers = std::move(a.retracted);
  a.retracted.clear();
  a.barrier_at = kNever;
  actions_.push_back(AskBarrier{a.link, ++a.last_barrier});
}

// Our END promises that what we held of the neighbour's past is gone, from cryptod's table, too.
void Router::complete_dump(Adjacency& a) {
  if (!a.is_linked() || a.end_sent || a.first_dump != 0 || !are_acknowledged(a.end_ticket)) return;
  a.end_sent = true;
  actions_.push_back(SendEnd{a.link});
  ask_barrier(a);
}

void Router::barrier_asked(LinkId link, std::uint64_t number, Instant) {
  const AdjacencyId id = find_link(link);
  if (id == kNone) return;
  Adjacency& a = adjacencies_[id];
  if (a.questions.size() >= 8) return;  // ours never has two; whoever floods is not answered
  a.questions.emplace_back(number, last_ticket_);
  answer_questions(a);
}

void Router::answer_questions(Adjacency& a) {
  while (!a.questions.empty() && are_acknowledged(a.questions.front().second)) {
    actions_.push_back(AnswerBarrier{a.link, a.questions.front().first});
    a.questions.erase(a.questions.begin());
  }
}

bool Router::are_acknowledged(std::uint64_t ticket) const {
  return waiting_.empty() || waiting_.begin()->first > ticket;
}

void Router::unblock(DestinationId id, Instant now) {
  for (const auto& [link, adjacency] : links_) {
    Adjacency& a = adjacencies_[adjacency];
    if (a.told.size() <= id || a.told[id].dirty != Told::Dirty::Blocked) continue;
    a.told[id].dirty = Told::Dirty::No;
    a.mark(id, true, now, Duration::zero(), kCalm);
  }
}

void Router::acknowledged(std::uint64_t ticket, Instant now) {
  const auto at = tickets_.find(ticket);
  if (at == tickets_.end()) return;
  const DestinationId id = at->second;
  tickets_.erase(at);
  Destination& d = table_[id];
  waiting_.erase({d.oldest_unacknowledged, id});
  d.acknowledged = true;
  unblock(id, now);
  try_collect(id, now);
  for (const auto& [link, adjacency] : links_) {
    complete_dump(adjacencies_[adjacency]);
    answer_questions(adjacencies_[adjacency]);
  }
}

void Router::cryptod(bool present, Instant now) {
  if (present == cryptod_) return;
  cryptod_ = present;
  tickets_.clear();
  waiting_.clear();
  for (DestinationId id = 0; id < table_.slots(); ++id) {
    Destination& d = table_[id];
    if (!d.used || id == kOwn) continue;
    d.acknowledged = true;
    if (!present) {
      unblock(id, now);
      try_collect(id, now);
      continue;
    }
    if (d.entry.state == TableEntry::State::Forgotten) continue;
    d.entry.ticket = ++last_ticket_;
    d.acknowledged = false;
    d.oldest_unacknowledged = d.entry.ticket;
    waiting_.emplace(d.entry.ticket, id);
    tickets_.emplace(d.entry.ticket, id);
    actions_.push_back(TableChanged{d.address});
  }
  for (const auto& [link, adjacency] : links_) {
    complete_dump(adjacencies_[adjacency]);
    answer_questions(adjacencies_[adjacency]);
  }
}

}  // namespace wattle::metad
