// The routing engine (DESIGN 6): distance vector over the meta links with Babel's rules (RFC 8966
// feasibility, seqno requests), mapped onto reliable text links (protocols.md 5.3). Pure: events
// in, actions out with take(); values only, so an engine can be copied and a simulator can hold
// thousands.
//
// A destination is a member's address. A neighbour is a member with whom we have a link. Every link
// is an adjacency of its own: what it told is kept apart, so that a new link of the same neighbour
// takes over what the old one told without a gap, and its routes are feasible or not by themselves.
//
//   adjacency:  Syncing --their END--> Live --link_down(hold)--> Held --10 s, or a Live one of the
//                                       |                         same neighbour, or another
//                                       +--link_down(no hold)-->  incarnation--> gone
//
// Invariants (the simulator checks them after every event, tests/sim):
//  - Following next hops from any node to any destination never loops; a node forwards only what
//    comes from a neighbour that it has an adjacency with.
//  - A route is selected only if it is feasible: its distance as the neighbour told it is strictly
//    better than our feasibility distance. That distance never gets worse, but by a newer seqno or
//    when the entry is collected.
//  - An entry is collected only when no route for it is left, every neighbour that was told of it
//    with a finite metric has answered a barrier sent after the retraction, and 200 s have passed
//    since an adjacency ended that had not.
//  - An update leaves only after cryptod has acknowledged the distance that it carries (ticket).
//  - Per link a dirty set, never a queue: only the newest state of a destination is told; a
//    congested link costs one entry per destination.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "common/proto/node_address.h"
#include "metad/core/ids.h"

namespace wattle::metad {

using Metric = std::uint32_t;
inline constexpr Metric kUnreachable = UINT32_MAX;

// Seqnos are 64 bits, compared plainly (DESIGN 6).
struct Distance {
  std::uint64_t seqno = 0;
  Metric metric = kUnreachable;
  bool operator==(const Distance&) const = default;
};
constexpr bool is_better(const Distance& a, const Distance& b) {
  return a.seqno > b.seqno || (a.seqno == b.seqno && a.metric < b.metric);
}

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
using RouterAction = std::variant<Announce, Retract, AskSeqno, AskBarrier, SendEnd, RaiseSeqno,
                                  TableChanged, NeighboursChanged>;

// ---- what it answers ----------------------------------------------------------------------------

// A line of the forwarding table as cryptod gets it (ipc::meta_link RouteEntry).
struct TableEntry {
  enum class State : std::uint8_t { Reachable, Unreachable, Forgotten };
  State state = State::Forgotten;
  Distance feasibility;  // metric kUnreachable: none
  Distance chosen;       // whole metric of the route in use
  NodeAddress next_hop;
  std::optional<NodeAddress> alternate;  // another feasible neighbour
  std::uint64_t ticket = 0;
  bool operator==(const TableEntry&) const = default;
};

// Everything that is known about the ways to one destination, for DUMP ROUTES and `wattle why`.
struct Candidate {
  NodeAddress neighbour;
  LinkId link = 0;  // 0: taken back from cryptod after a restart
  Distance told;    // as the neighbour told it
  Metric cost = 0;  // of the link to it; kUnreachable: its data path is down
  bool feasible = false;
  bool selected = false;
  bool held = false;
};
struct RouteEvent {  // the last kHistory decisions of a destination
  enum class What : std::uint8_t {
    First,        // the first way
    Better,       // a clearly better one, for long enough
    LostNextHop,  // the one in use ended; another feasible one took its place
    Unreachable,  // it ended, and no feasible one is left
    Restored,     // reachable again
    AskedSeqno,   // only unfeasible ones: a newer seqno was asked for
    HeldEnded,    // a held link did not come back in time
  };
  What what = What::First;
  Instant at{};
  NodeAddress from, to;  // next hops before and after; all zero: none
  Metric metric = kUnreachable;
};

class Router {
 public:
  static constexpr Duration kHold = std::chrono::seconds(10);
  static constexpr Duration kUrgent = std::chrono::milliseconds(200);  // retractions, first routes
  static constexpr Duration kCalm = std::chrono::seconds(2);           // changes of metric
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
  // Cost of the data path to a neighbour, kUnreachable while it is down (and before it is known).
  void cost(const NodeAddress& neighbour, Metric cost, Instant now);

  // ---- lines. The engine has checked that `distance.seqno` is no higher than the highest seqno of
  // this destination's verified origin records.
  enum class Verdict : std::uint8_t { Stored, Unfeasible, Ignored, Full };
  Verdict update(LinkId link, const NodeAddress& destination, const Distance& distance,
                 Instant now);
  Verdict retraction(LinkId link, const NodeAddress& destination, Instant now);
  void seqno_request(LinkId link, const NodeAddress& destination, std::uint64_t seqno,
                     unsigned hops, Instant now);
  void barrier_answer(LinkId link, std::uint64_t number, Instant now);

  // ---- ourselves and cryptod
  void own_seqno(std::uint64_t seqno, Instant now);  // our origin record in force
  void cryptod(bool present, Instant now);           // absent: nothing waits for tickets
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
};

}  // namespace wattle::metad
