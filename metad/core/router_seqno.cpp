// Seqno requests (RFC 8966 3.8.1.2, 3.8.2.1; protocols.md 5.1).
#include <algorithm>

#include "metad/core/router.h"

namespace wattle::metad {

// Routes over links that can carry a question, best first; of unfeasible ones only, or feasible
// ones before unfeasible ones.
std::vector<const ToldRoute*> Router::routes_to_ask(const Destination& d, NeighbourId but,
                                                    bool unfeasible_only) const {
  std::vector<const ToldRoute*> out;
  for (const ToldRoute& route : d.routes) {
    if (!is_usable(route) || neighbour_of(route) == but) continue;
    if (!adjacencies_[route.adjacency].is_linked()) continue;
    if (unfeasible_only && is_feasible(d, route)) continue;
    out.push_back(&route);
  }
  std::sort(out.begin(), out.end(), [&](const ToldRoute* a, const ToldRoute* b) {
    const bool fa = is_feasible(d, *a), fb = is_feasible(d, *b);
    if (fa != fb) return fa;
    const Metric ma = whole_metric(*a), mb = whole_metric(*b);
    return ma != mb ? ma < mb : a->adjacency < b->adjacency;
  });
  return out;
}

// A newer seqno makes unfeasible routes feasible: asked for if there is no other way, or if they
// would be much better.
void Router::plan_ask(DestinationId id, Instant now) {
  Destination& d = table_[id];
  Metric best = kUnreachable;
  for (const ToldRoute& route : d.routes) {
    if (!is_usable(route) || is_feasible(d, route)) continue;
    if (adjacencies_[route.adjacency].is_linked()) best = std::min(best, whole_metric(route));
  }
  if (best == kUnreachable) {
    d.ask_at = kNever;
    return;
  }
  if (!d.is_reachable()) {
    if (d.ask_at == kNever) d.ask_at = std::max(now, d.asked_at + kAskSpacing);
    if (d.ask_wait == Duration::zero()) d.ask_wait = kAskFirst;
    return;
  }
  d.ask_wait = kAskFirst;
  const bool much_better = best < d.chosen.metric / 2 && d.chosen.metric - best >= kMuchBetter;
  if (!much_better) {
    d.ask_at = kNever;
  } else if (d.ask_at == kNever) {
    d.ask_at = std::max(now + kCalm, d.asked_at + kAskLongest);
  }
}

void Router::ask(DestinationId id, Instant now) {
  Destination& d = table_[id];
  const auto candidates = routes_to_ask(d, kNone, true);
  const std::uint64_t wanted = d.feasibility.seqno + 1;
  for (std::size_t i = 0; i < candidates.size() && i < 3; ++i) {
    actions_.push_back(
        AskSeqno{adjacencies_[candidates[i]->adjacency].link, d.address, wanted, kSeqnoHops});
  }
  if (!candidates.empty()) note(d, What::AskedSeqno, d.next_hop, d.next_hop, now);
  d.asked_at = now;
  d.ask_at = candidates.empty() ? kNever : now + (d.is_reachable() ? kAskLongest : d.ask_wait);
  d.ask_wait = std::min<Duration>(2 * d.ask_wait, kAskLongest);
}

void Router::seqno_request(LinkId link, const NodeAddress& destination, std::uint64_t seqno,
                           unsigned hops, Instant now) {
  const AdjacencyId from = find_link(link);
  if (from == kNone) return;
  const auto id = table_.find(destination);
  if (!id) return;
  if (*id == kOwn) {
    if (own_seqno_ < seqno) {
      adjacencies_[from].told_of(kOwn).wanted = seqno;
      table_[kOwn].is_wanted = true;
      return raise(seqno, now);
    }
    adjacencies_[from].mark(kOwn, true, now, kUrgent, kCalm);
    return;
  }
  if (!config_.transit) return;
  Destination& d = table_[*id];
  Told& told = adjacencies_[from].told_of(*id);
  told.wanted = std::max(told.wanted, seqno);
  d.is_wanted = true;
  if (d.is_reachable() && d.chosen.seqno >= seqno) {
    adjacencies_[from].mark(*id, true, now, kUrgent, kCalm);
    return;
  }
  if (hops < 2) return;
  if (now < d.forwarded_until) {
    // The same question going in a circle, or a flood of different ones.
    if (seqno == d.forwarded) return;
    if (now < d.forwarded_until - kForwardOnce + kForwardSpacing) return;
  }
  const NeighbourId asker = adjacencies_[from].neighbour;
  auto ways = routes_to_ask(d, asker, false);
  if (d.is_reachable() && d.next_hop != asker) {
    std::stable_partition(ways.begin(), ways.end(), [&](const ToldRoute* route) {
      return neighbour_of(*route) == d.next_hop;
    });
  }
  const std::size_t copies = d.is_reachable() ? 1 : 2;
  for (std::size_t i = 0; i < ways.size() && i < copies; ++i) {
    actions_.push_back(AskSeqno{adjacencies_[ways[i]->adjacency].link, destination, seqno,
                                std::min(hops, kSeqnoHops) - 1});
    d.forwarded = seqno;
    d.forwarded_until = now + kForwardOnce;
  }
}

// The number asked for is not believed: keyd makes the next one (DESIGN 2).
void Router::raise(std::uint64_t seqno, Instant now) {
  if (raised_at_ != Instant{} && now - raised_at_ < kRaiseSpacing) return;
  raised_at_ = now;
  actions_.push_back(RaiseSeqno{seqno});
}

void Router::own_seqno(std::uint64_t seqno, Instant now, bool news) {
  if (seqno <= own_seqno_) return;
  Destination& own = table_[kOwn];
  if (news || own_seqno_ == 0) own.news = seqno;
  own_seqno_ = seqno;
  own.chosen = {seqno, 0};
  tell_newer(kOwn, now);
  own.standing = own.feasibility = own.chosen;
  schedule(kOwn, now);
}

}  // namespace wattle::metad
