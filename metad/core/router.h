// The routing engine (DESIGN 6): distance vector over the meta links with Babel's rules (RFC 8966
// feasibility, seqno requests), mapped onto reliable text links (protocols.md 5.3). Pure: events
// in, actions out with take(); values only, so an engine can be copied and a simulator can hold
// thousands.
//
// A destination is a member's address. A neighbour is a member with whom we have a link. Every link
// is an adjacency of its own: what it told is kept apart, so that a new link of the same neighbour
// takes over what the old one told without a gap, and its routes are feasible or not by themselves.
//
//   adjacency:  Syncing --> Live --link_down(hold)--> Held --10 s, or a Live one of the same
//                            |                         neighbour, or another incarnation--> gone
//                            +--link_down(no hold)--> gone
//
// Live: their END came, and they have answered the barrier that we sent behind our own END. Only
// then are its routes used and is the neighbour one of neighbours(), because only then has it
// surely dropped what it may have held of a past incarnation of ours. Of several Live ones the
// newest counts.
//
// Invariants (the simulator checks them after every event, tests/sim):
//  - Following next hops from any node to any destination never loops; a node forwards only what
//    comes from a neighbour that it has an adjacency with.
//  - A route is selected only if it is feasible: the best distance that the neighbour has told
//    since its last retraction is strictly better than our feasibility distance (route_rules.h:
//    that best one bounds the neighbour's own). Ours never gets worse, but by a newer seqno or when
//    the entry is collected.
//  - An entry is collected only when no route for it is left, every neighbour that was told of it
//    with a finite metric has answered a barrier sent after the retraction, and 200 s have passed
//    since an adjacency ended that had not.
//  - An update leaves only after cryptod has acknowledged the distance that it carries (ticket).
//  - Per link a dirty set, never a queue: only the newest state of a destination is told; a
//    congested link costs one entry per destination.
#pragma once

#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "metad/core/adjacency.h"
#include "metad/core/route_table.h"
#include "metad/core/route_types.h"

namespace wattle::metad {

// ---- what the router wants done -----------------------------------------------------------------

struct Announce {  // ADD_HOST on this link; with_record: not yet sent there with this seqno
  LinkId link = 0;
  NodeAddress destination;
  Distance distance;
  bool with_record = false;
};
struct Retract {  // DEL_HOST on this link
  LinkId link = 0;
  NodeAddress destination;
};
struct AskSeqno {  // REQ_SEQNO on this link
  LinkId link = 0;
  NodeAddress destination;
  std::uint64_t seqno = 0;
  unsigned hops = 0;
};
struct AskBarrier {  // PING barrier=number on this link; its PONG is barrier_answer()
  LinkId link = 0;
  std::uint64_t number = 0;
};
struct AnswerBarrier {  // PONG barrier=number on this link: all that came before has taken effect
  LinkId link = 0;      // in cryptod's table, too
  std::uint64_t number = 0;
};
struct SendEnd {  // our first dump on this link is complete
  LinkId link = 0;
};
struct RaiseSeqno {  // our own origin record must be signed anew, with at least this seqno
  std::uint64_t seqno = 0;
};
struct TableChanged {  // cryptod must be told entry(destination)
  NodeAddress destination;
};
struct NeighboursChanged {  // the set neighbours() is another one
  NodeAddress neighbour;
};
using RouterAction = std::variant<Announce, Retract, AskSeqno, AskBarrier, AnswerBarrier, SendEnd,
                                  RaiseSeqno, TableChanged, NeighboursChanged>;

class Router {
 public:
  static constexpr Duration kHold = std::chrono::seconds(10);
  static constexpr Duration kUrgent = std::chrono::milliseconds(200);  // retractions, first routes
  static constexpr Duration kCalm = std::chrono::seconds(2);           // changes of metric
  static constexpr Duration kSpread = std::chrono::seconds(60);        // mere new seqnos
  static constexpr Duration kCollect = std::chrono::seconds(200);
  static constexpr Duration kBetterFor = std::chrono::seconds(4);  // hysteresis
  static constexpr unsigned kSeqnoHops = 64;
  static constexpr std::size_t kMaxDestinations = 8192;
  static constexpr std::size_t kMaxLinks = 512;
  static constexpr std::size_t kHistory = 10;

  struct Config {
    NodeAddress own;
    bool transit = true;  // false: tells of nobody but itself (`relay = no`)
  };
  explicit Router(Config config);

  // ---- after a restart, before the first link: what cryptod has kept
  void restore(const NodeAddress& destination, const TableEntry& entry, Instant now);

  // ---- links. The engine opens one after ACK, so that both sides have said who they are.
  // `incarnation`: the neighbour's (0: it has none); one other than the held adjacencies' flushes
  // them at once.
  void link_up(LinkId link, const NodeAddress& neighbour, std::uint64_t incarnation, Instant now);
  void link_synced(LinkId link, Instant now);  // its END came
  // hold: the neighbour's data session still answers probes.
  void link_down(LinkId link, bool hold, Instant now);
  void link_congested(LinkId link, bool congested);
  // Cost of the data path to a neighbour (LinkState), kUnreachable when it is down. Not called
  // before it is known: a new neighbour counts as unreachable until then by itself, a restored one
  // as reachable.
  void cost(const NodeAddress& neighbour, Metric cost, Instant now);

  // ---- lines. The engine has checked that `distance.seqno` is no higher than the highest seqno of
  // this destination's verified origin records. `news`: the record that came with it says something
  // new beside its seqno (or we knew none): all links are told soon. A mere new seqno is told at
  // once to those that have asked for it, and to the others within kSpread.
  enum class Verdict : std::uint8_t { Stored, Unfeasible, Ignored, Full };
  Verdict update(LinkId link, const NodeAddress& destination, const Distance& distance, Instant now,
                 bool news = true);
  Verdict retraction(LinkId link, const NodeAddress& destination, Instant now);
  void seqno_request(LinkId link, const NodeAddress& destination, std::uint64_t seqno,
                     unsigned hops, Instant now);
  void barrier_asked(LinkId link, std::uint64_t number, Instant now);   // PING barrier=
  void barrier_answer(LinkId link, std::uint64_t number, Instant now);  // PONG barrier=

  // ---- ourselves and cryptod
  void own_seqno(std::uint64_t seqno, Instant now, bool news = true);  // our record in force
  void cryptod(bool present, Instant now);  // absent: nothing waits for tickets
  void acknowledged(std::uint64_t ticket, Instant now);

  void tick(Instant now);
  Instant next_deadline() const;
  std::vector<RouterAction> take();  // in order; empties it

  // ---- answers
  TableEntry entry(const NodeAddress& destination) const;
  std::vector<NodeAddress> destinations() const;  // every one with an entry
  std::set<NodeAddress> neighbours() const;       // with an adjacency, held ones too
  bool is_held(const NodeAddress& neighbour) const;
  // Neighbours to ask about a destination over the meta links, best first: the next hop, then
  // other feasible ones, then whoever told of it; only over links that are not held; `but` is left
  // out.
  std::vector<NodeAddress> ways(const NodeAddress& destination,
                                const NodeAddress* but = nullptr) const;
  std::vector<Candidate> candidates(const NodeAddress& destination) const;
  std::vector<RouteEvent> history(const NodeAddress& destination) const;

 private:
  using What = RouteEvent::What;
  using Ids = std::vector<AdjacencyId>;
  static constexpr DestinationId kOwn = 0;
  static constexpr Duration kBarrierDelay = std::chrono::seconds(1);
  static constexpr Duration kAskSpacing = std::chrono::milliseconds(200);
  static constexpr Duration kAskFirst = std::chrono::seconds(2);
  static constexpr Duration kAskLongest = std::chrono::seconds(16);
  static constexpr Duration kForwardOnce = std::chrono::milliseconds(1500);
  static constexpr Duration kForwardSpacing = std::chrono::milliseconds(100);
  static constexpr Duration kRaiseSpacing = std::chrono::milliseconds(500);
  static constexpr Metric kMuchBetter = 512;
  static constexpr Metric kAssumedCost = 96;  // of a restored neighbour, until cryptod's first word

  // links (router_links.cpp)
  AdjacencyId find_link(LinkId link) const;
  NeighbourId neighbour_of(const NodeAddress& address);
  AdjacencyId make_adjacency(NeighbourId neighbour);
  void leave_link(AdjacencyId id, Instant now);
  void change_adjacencies(NeighbourId neighbour, const Ids& ended, What what, Instant now);
  void try_accept(AdjacencyId id, Instant now);
  bool is_counted(const Neighbour& neighbour) const;

  // selection (router_select.cpp)
  bool is_usable(const ToldRoute& route) const;
  bool is_feasible(const Destination& d, const ToldRoute& route) const;
  Metric whole_metric(const ToldRoute& route) const;
  NeighbourId neighbour_of(const ToldRoute& route) const;
  const ToldRoute* choose(Destination& d, Instant now) const;
  void reselect(DestinationId id, Instant now, What what = What::LostNextHop);
  void note(Destination& d, What what, NeighbourId from, NeighbourId to, Instant now);
  static bool has_moved(const Destination& d);
  void stand(DestinationId id);
  void refresh_entry(DestinationId id, bool distance_changed);
  NeighbourId choose_alternate(const Destination& d) const;
  void schedule(DestinationId id, Instant now);
  bool try_collect(DestinationId id, Instant now);

  // telling (router_tell.cpp)
  void mark_all(DestinationId id, bool urgent, Instant now);
  void flush(AdjacencyId id, Instant now);
  void tell(AdjacencyId id, DestinationId destination, Instant now);
  void ask_barrier(Adjacency& a);
  void complete_dump(Adjacency& a);
  void answer_questions(Adjacency& a);
  void tell_newer(DestinationId id, Instant now);
  void unblock(DestinationId id, Instant now);
  bool are_acknowledged(std::uint64_t ticket) const;

  // seqnos (router_seqno.cpp)
  void plan_ask(DestinationId id, Instant now);
  void ask(DestinationId id, Instant now);
  void raise(std::uint64_t seqno, Instant now);
  std::vector<const ToldRoute*> routes_to_ask(const Destination& d, NeighbourId but,
                                              bool unfeasible_only) const;

  Config config_;
  RouteTable table_;
  std::vector<Adjacency> adjacencies_;
  Ids free_adjacencies_;
  std::unordered_map<LinkId, AdjacencyId> links_;
  std::vector<Neighbour> neighbours_;
  std::vector<NeighbourId> free_neighbours_;
  std::unordered_map<NodeAddress, NeighbourId, AddressHash> neighbour_ids_;
  std::set<std::pair<Instant, DestinationId>> timers_;
  bool cryptod_ = false;
  std::uint64_t last_ticket_ = 0, last_order_ = 0;
  std::map<std::uint64_t, DestinationId> tickets_;             // newest of each that waits
  std::set<std::pair<std::uint64_t, DestinationId>> waiting_;  // oldest of each that waits
  std::uint64_t own_seqno_ = 0;
  Instant raised_at_{};
  std::vector<RouterAction> actions_;
};

}  // namespace wattle::metad
