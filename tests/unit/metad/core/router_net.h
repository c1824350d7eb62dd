// Routers joined by links in memory: lines arrive at once, in order, unless a link is stopped.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "metad/core/router.h"

namespace wattle::metad::test {

inline NodeAddress node(unsigned number) {
  NodeAddress out;
  out.bytes[0] = 1;
  out.bytes[38] = static_cast<std::uint8_t>(number >> 8);
  out.bytes[39] = static_cast<std::uint8_t>(number);
  return out;
}

template <typename T>
std::vector<T> all_of(const std::vector<RouterAction>& actions) {
  std::vector<T> out;
  for (const RouterAction& action : actions) {
    if (const T* one = std::get_if<T>(&action)) out.push_back(*one);
  }
  return out;
}

class RouterNet {
 public:
  Instant now{std::chrono::seconds(1000)};
  std::map<unsigned, Router> routers;
  std::map<unsigned, std::uint64_t> seqnos;
  std::vector<std::pair<unsigned, RouterAction>> log;  // what each has said
  unsigned raises = 0;

  Router& add(unsigned number, bool transit = true) {
    Router& router = routers.emplace(number, Router({node(number), transit})).first->second;
    seqnos[number] = 7;
    router.own_seqno(7, now);
    return router;
  }
  Router& operator[](unsigned number) { return routers.at(number); }

  // The link from a to b is 1000 * a + b at a; both ends carry the same line.
  static LinkId link_id(unsigned a, unsigned b, unsigned again = 0) {
    return again * LinkId{1'000'000} + LinkId{1000} * a + b;
  }
  void join(unsigned a, unsigned b, Metric cost = 96, unsigned again = 0,
            std::uint64_t incarnation = 5) {
    routers.at(a).cost(node(b), cost, now);
    routers.at(b).cost(node(a), cost, now);
    ends_[link_id(a, b, again)] = {b, link_id(b, a, again)};
    ends_[link_id(b, a, again)] = {a, link_id(a, b, again)};
    routers.at(a).link_up(link_id(a, b, again), node(b), incarnation, now);
    routers.at(b).link_up(link_id(b, a, again), node(a), incarnation, now);
  }
  void part(unsigned a, unsigned b, bool hold = false, unsigned again = 0) {
    ends_.erase(link_id(a, b, again));
    ends_.erase(link_id(b, a, again));
    routers.at(a).link_down(link_id(a, b, again), hold, now);
    routers.at(b).link_down(link_id(b, a, again), hold, now);
  }

  void run(Duration time) {
    const Instant end = now + time;
    for (;;) {
      pump();
      Instant next = end;
      for (auto& [number, router] : routers) next = std::min(next, router.next_deadline());
      if (next > now) now = next;
      if (now >= end) break;
      for (auto& [number, router] : routers) router.tick(now);
    }
    now = end;
    for (auto& [number, router] : routers) router.tick(now);
    pump();
  }
  // a's next hop to b; 0: none.
  unsigned hop(unsigned a, unsigned b) {
    const TableEntry entry = routers.at(a).entry(node(b));
    if (entry.state != TableEntry::State::Reachable) return 0;
    return entry.next_hop.bytes[38] * 256U + entry.next_hop.bytes[39];
  }

 private:
  struct End {
    unsigned number;
    LinkId link;
  };
  void pump() {
    for (bool moved = true; moved;) {
      moved = false;
      for (auto& [number, router] : routers) {
        for (const RouterAction& action : router.take()) {
          moved = true;
          log.emplace_back(number, action);
          std::visit([&, from = number](const auto& one) { deliver(from, one); }, action);
        }
      }
    }
  }
  template <typename F>
  void to(LinkId link, F f) {
    const auto at = ends_.find(link);
    if (at != ends_.end()) f(routers.at(at->second.number), at->second.link);
  }
  void deliver(unsigned, const Announce& a) {
    to(a.link, [&](Router& r, LinkId l) { r.update(l, a.destination, a.distance, now); });
  }
  void deliver(unsigned, const Retract& a) {
    to(a.link, [&](Router& r, LinkId l) { r.retraction(l, a.destination, now); });
  }
  void deliver(unsigned, const AskSeqno& a) {
    to(a.link,
       [&](Router& r, LinkId l) { r.seqno_request(l, a.destination, a.seqno, a.hops, now); });
  }
  void deliver(unsigned, const AskBarrier& a) {
    to(a.link, [&](Router& r, LinkId l) { r.barrier_asked(l, a.number, now); });
  }
  void deliver(unsigned, const AnswerBarrier& a) {
    to(a.link, [&](Router& r, LinkId l) { r.barrier_answer(l, a.number, now); });
  }
  void deliver(unsigned, const SendEnd& a) {
    to(a.link, [&](Router& r, LinkId l) { r.link_synced(l, now); });
  }
  void deliver(unsigned from, const RaiseSeqno&) {
    ++raises;
    routers.at(from).own_seqno(++seqnos[from], now);
  }
  void deliver(unsigned from, const TableChanged& a) {
    routers.at(from).acknowledged(routers.at(from).entry(a.destination).ticket, now);
  }
  void deliver(unsigned, const NeighboursChanged&) {}

  std::map<LinkId, End> ends_;
};

}  // namespace wattle::metad::test
