// A network in virtual time around the real routing engine: nodes with metad (a Router), cryptod (a
// table of its own, behind a lane with delays) and keyd (a seqno that survives), joined by edges.
// An edge carries meta links (FIFO with random delays) and a data path; each of its ends notices a
// change of either at a time of its own. Seeded: the same seed is the same run.
//
// What is checked is cryptod's table, because that is what packets follow: after every change of
// one line, and of the set of neighbours whose packets are relayed, is there a loop? Next hops and
// alternates both count.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <queue>
#include <random>
#include <utility>
#include <vector>

#include "metad/core/router.h"

namespace wattle::sim {

using metad::Metric;
using metad::Router;
using NodeId = std::uint16_t;
using EdgeId = std::uint32_t;
inline constexpr NodeId kNobody = UINT16_MAX;

inline NodeAddress address_of(NodeId id) {
  NodeAddress out;
  out.bytes[0] = 1;
  out.bytes[1] = static_cast<std::uint8_t>(id >> 8);
  out.bytes[2] = static_cast<std::uint8_t>(id);
  return out;
}
inline NodeId number_of(const NodeAddress& address) {
  return static_cast<NodeId>(address.bytes[1] * 256 + address.bytes[2]);
}

struct Line {  // what a meta link carries
  enum class Kind : std::uint8_t { Update, Retract, AskSeqno, Barrier, Answer, End, Closed };
  Kind kind = Kind::Closed;
  NodeId destination = 0;
  unsigned hops = 0;
  std::uint64_t number = 0;  // seqno, or of the barrier
  Metric metric = 0;
  Instant at{};  // when it arrives
};

struct Link {  // a meta link; side 0 is the edge's `a`
  EdgeId edge = 0;
  bool alive = true;                   // lines still arrive
  std::array<bool, 2> open{};          // this side's router has it
  std::array<unsigned, 2> life{};      // of the metads that made it
  std::array<std::deque<Line>, 2> to;  // on their way to that side
  std::array<Instant, 2> last{};
};

struct Edge {
  std::array<NodeId, 2> end{};
  bool up = true;
  Metric cost = 96;
  Duration delay{};
  Instant stalled_until{};
  std::array<Metric, 2> seen{metad::kUnreachable, metad::kUnreachable};  // as each cryptod has it
  std::size_t link = SIZE_MAX;                                           // the newest
  std::vector<std::size_t> links;  // all that somebody still has
};

struct LaneMessage {  // metad -> cryptod
  Instant at{};
  bool is_route = true, keeps_incarnation = false;
  NodeId who = 0;
  metad::TableEntry entry;
  bool linked = false;
};

struct Node {
  std::optional<Router> metad;
  unsigned life = 0;  // counts metads
  bool cryptod = true;
  std::uint64_t incarnation = 0;     // as ID tells it
  std::uint64_t seqno = 0;           // keyd's
  std::uint64_t content = 0;         // the seqno from which on its record says what it says
  std::vector<std::uint64_t> known;  // the highest seqnos of others' records
  std::vector<metad::TableEntry> table;
  std::vector<std::uint8_t> neighbours;  // by number, cryptod's: whose packets it relays
  std::uint64_t held_incarnation = 0;    // cryptod's word: of the table that it holds
  std::deque<LaneMessage> lane;
  Instant lane_last{};
  Instant tick_at = kNever;
  std::vector<EdgeId> edges;
  bool powered = true;
};

struct Counters {
  std::uint64_t lines = 0, bytes = 0, updates = 0, records = 0, retractions = 0, requests = 0,
                barriers = 0, table_changes = 0, checks = 0, loops = 0, raises = 0;
};

class World {
 public:
  World(std::size_t nodes, unsigned degree, std::uint64_t seed);

  // Things that happen. Each may have effects later; `settled()` tells when all have had theirs.
  void cut(EdgeId edge);
  void mend(EdgeId edge);
  void change_cost(EdgeId edge);
  void stall(EdgeId edge);
  void reset_link(EdgeId edge);  // the meta link only
  void renew_link(EdgeId edge);  // a second one takes over, then the first is closed
  void restart_metad(NodeId node);
  void restart_cryptod(NodeId node);
  void reboot(NodeId node);
  void raise_seqno(NodeId node);
  void leave(NodeId node);  // its metad closes its links and ends, its cryptod with it
  void start(NodeId node);  // power on

  void run_until(Instant time);
  void run_for(Duration time) { run_until(now_ + time); }
  bool settled() const { return outside_ == 0; }

  struct Reach {
    std::size_t pairs = 0, missing = 0;
    double stretch = 0, worst_stretch = 0;  // mean and highest, of the metric
  };
  // Follows cryptod's tables for every pair that the edges in service connect.
  Reach reach() const;
  EdgeId busiest() const;  // the edge that most lines of the tables go over

  Instant now() const { return now_; }
  std::size_t size() const { return nodes_.size(); }
  const std::vector<Edge>& edges() const { return edges_; }
  const Node& node(NodeId id) const { return nodes_[id]; }
  const Counters& counters() const { return counters_; }
  std::mt19937_64& random() { return random_; }
  // Uniform.
  Duration between(Duration low, Duration high);
  bool chance(unsigned percent) { return random_() % 100 < percent; }

 private:
  enum class What : std::uint8_t {
    // inside
    Deliver,
    Tick,
    Lane,
    Ack,
    Seqno,
    Prune,
    // from outside
    Cost,
    Notice,
    Dial,
    LinkUp,
    Boot,
    MetadUp,
    CryptodGone,
    CryptodUp,
    Close
  };
  struct Event {
    Instant at;
    std::uint64_t order;
    What what;
    std::uint32_t a, b;
    std::uint64_t number;
    bool operator>(const Event& o) const { return at != o.at ? at > o.at : order > o.order; }
  };

  void make_graph(unsigned degree);
  void push(What what, Instant at, std::uint32_t a, std::uint32_t b = 0, std::uint64_t number = 0);
  void handle(const Event& event);
  void drain(NodeId id);  // does what its router wants, and plans its tick
  void perform(NodeId id, const metad::RouterAction& action);
  void send(NodeId from, metad::LinkId link, Line line, std::size_t bytes);
  void deliver(std::size_t link, unsigned side);
  void on_line(NodeId id, metad::LinkId link, const Line& line);
  void to_lane(NodeId id, LaneMessage message);
  void lane(NodeId id);
  void on_cost(EdgeId edge, unsigned side);
  void close(std::size_t link, unsigned side);  // this side's router loses it
  void fail(std::size_t link);                  // nothing arrives any more, nobody is told
  void dial(EdgeId edge, bool another);
  void link_up(std::size_t link, unsigned side);
  void start_metad(NodeId id);
  void forget(NodeId id);  // cryptod's table is gone
  void end_metad(NodeId id, bool clean);
  bool in_service(NodeId id) const { return nodes_[id].powered && nodes_[id].metad.has_value(); }
  unsigned side_of(EdgeId edge, NodeId id) const { return edges_[edge].end[0] == id ? 0 : 1; }
  EdgeId edge_between(NodeId a, NodeId b) const { return edge_of_.at({a, b}); }

  void set_entry(NodeId id, NodeId destination, const metad::TableEntry& entry);
  void check(NodeId id, NodeId destination);  // a loop through this line?
  void check_permission(NodeId id, NodeId from);

  std::mt19937_64 random_;
  Instant now_{std::chrono::seconds(1000)};
  std::vector<Node> nodes_;
  std::vector<Edge> edges_;
  std::map<std::pair<NodeId, NodeId>, EdgeId> edge_of_;
  std::vector<Link> links_;  // LinkId is the index + 1
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::uint64_t order_ = 0;
  std::size_t outside_ = 0;                  // events under way that come from outside the engines
  std::vector<std::array<NodeId, 2>> next_;  // [destination * n + node]: next hop, alternate
  std::vector<std::uint32_t> visited_;
  std::uint32_t visit_ = 0;
  std::vector<NodeId> stack_;
  Counters counters_;
};

}  // namespace wattle::sim
