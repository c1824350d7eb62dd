// The meta daemon without its sockets (DESIGN 5): events in, actions out. No clock, no socket, no
// file, no global: several engines in one process are ordinary. Every public on_... returns what is
// to be done, in order; what cryptod is told is pulled with next_for_cryptod().
//
// Foreign words (lines of neighbours) can close the speaker's own link and nothing else. Statements
// about ourselves are counted and answered with the truth.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/random.h"
#include "common/proto/trust_chain.h"
#include "metad/core/actions.h"
#include "metad/core/dial_policy.h"
#include "metad/core/document_gossip.h"
#include "metad/core/grammar.h"
#include "metad/core/host_wants.h"
#include "metad/core/key_broker.h"
#include "metad/core/key_wants.h"
#include "metad/core/lane_feed.h"
#include "metad/core/link.h"
#include "metad/core/node_db.h"
#include "metad/core/own_origin.h"
#include "metad/core/owners.h"
#include "metad/core/renewal.h"
#include "metad/core/router.h"
#include "metad/core/setup.h"
#include "metad/core/standing.h"
#include "metad/core/trace_tap.h"
#include "metad/core/way_trace.h"

namespace wattle::metad {

inline constexpr std::size_t kMaxLinks = 256;
inline constexpr std::size_t kMaxLinksPerPeer = 4;
inline constexpr std::size_t kMaxMisfits = 64;

class Engine {
 public:
  // random must outlive the engine.
  Engine(Setup setup, Random& random, Now now);

  // ---- links
  // -------------------------------------------------------------------------------------
  Actions on_link_up(LinkId id, LinkUp up, Now now);
  Actions on_line(LinkId id, std::string_view line, Now now);
  Actions on_packet(LinkId id, Bytes packet, Now now);  // what stood behind a PACKET line
  Actions on_link_down(LinkId id, Now now);
  // What is sent over it leaves too slowly, or fast enough again.
  Actions on_link_congested(LinkId id, bool congested);
  Actions on_dial_failed(DialId id, Now now);

  // ---- lanes
  // -------------------------------------------------------------------------------------
  Actions on_cryptod_up(Now now);
  Actions on_cryptod_down(Now now);
  Actions on_cryptod(const meta_link::ToMetad::Message& message, Now now);
  Actions on_keyd_down(Now now);
  Actions on_keyd(const key_link::ToMetad::Message& message, Now now);
  // The next message for cryptod while the lane takes any; sent_to_cryptod() once it was taken.
  std::optional<LaneFeed::Message> next_for_cryptod();
  void sent_to_cryptod() { feed_.sent(); }

  // False until cryptod's table is here, or it is clear that there is none: no link is handed in.
  bool is_started() const { return started_; }

  // ---- the rest
  // ----------------------------------------------------------------------------------
  // Where the registry says that members are: hints to dial.
  Actions on_peer_hints(const std::vector<PeerHint>& peers, Now now);
  Actions on_document(std::string text, Now now);  // from the registry: verified here
  // The registry's answer to PostRenewal; status 0: it could not be reached.
  Actions on_renewal_answer(int status, const std::string& body, Now now);
  Actions on_control_open(ControlId id, bool may_act, Now now);
  Actions on_control_line(ControlId id, std::string_view line, Now now);
  Actions on_control_end(ControlId id, Now now);  // no more lines: close when all is answered
  Actions on_control_down(ControlId id);
  Actions on_tick(Now now);
  Instant next_deadline() const;

  const NodeDb& nodes() const { return nodes_; }
  const std::map<LinkId, Link>& links() const { return links_; }
  const Router& router() const { return router_; }
  std::uint64_t counter(std::string_view name) const;
  const std::map<std::string, std::uint64_t, std::less<>>& counters() const { return counters_; }
  const std::optional<NetworkDocument>& document() const { return document_; }
  bool is_revoked(std::uint64_t serial) const { return broker_.trust().revoked.contains(serial); }

 private:
  struct Query {
    enum class Kind : std::uint8_t { Status, Peers, Probe, Key, Why, Way, Act } kind = Kind::Status;
    std::uint32_t id = 0;
    NodeAddress address;
    Instant deadline{};
    std::uint64_t way = 0;       // Way: the id that goes out,
    std::uint64_t asked_id = 0;  // and what was typed
    std::string asked_by;
    bool lists_peers() const { return kind == Kind::Status || kind == Kind::Peers; }
    bool asks_cryptod() const { return lists_peers() || kind == Kind::Probe || kind == Kind::Why; }
  };
  struct Control {
    bool may_act = false;
    bool ended = false;
    std::optional<Query> query;  // one at a time; further lines wait
    std::deque<std::string> waiting;
    TokenBucket rehearsals{2, 2};
  };
  struct Redial {   // of a link whose certificates are outdated
    Instant due{};  // kNever while the attempt is under way
    DialId dial = 0;
    std::size_t tries = 0;
  };
  struct Redialled {  // the newest attempt of a neighbour
    std::uint64_t serial = 0;
    Instant at{};
  };
  struct Misfit {  // refused for its protocol's version
    std::string name;
    bool newer = false;
    Instant at{};
  };
  struct OwnWaiter {
    LinkId link = 0;
    std::string requester;
  };

  // engine.cpp
  Actions take();
  void count(std::string_view name) { ++counters_[std::string(name)]; }
  void count_line(bool out, std::string_view line) {  // of all links, LF included
    ++counters_[out ? "tx_lines" : "rx_lines"];
    counters_[out ? "tx_bytes" : "rx_bytes"] += line.size() + 1;
  }
  void note(Note::Level level, std::string sentence, const NodeAddress* peer = nullptr,
            std::string err = {});
  void dial(Now now);
  void peers_changed(Now now);  // the peers file is due, some seconds later
  void write_peers(Now now);
  bool is_linked(const NodeAddress& address) const;
  bool is_own(std::string_view name_or_address) const;

  // engine_links.cpp
  void send(LinkId id, Verb verb, std::vector<Value> values = {},
            std::vector<std::pair<std::string, std::string>> keys = {});
  void status(LinkId id, std::uint64_t number, std::string text);
  void tell_revoked(LinkId id);
  void on_told_revoked(const Link& link);
  void close(LinkId id, std::string_view why, Now now, std::uint64_t error = 0);
  void forget_link(LinkId id, Now now);
  void dispatch(LinkId id, Link& link, const Request& request, Now now);
  void on_id(LinkId id, Link& link, const Request& request, Now now);
  void on_ack(LinkId id, Link& link, const Request& request, Now now);
  void on_end(LinkId id, Link& link, Now now);
  void settle_duplicates(LinkId id, Now now);
  std::optional<LinkId> talk_to(const NodeAddress& address) const;

  // engine_hosts.cpp
  void on_add_host(LinkId id, Link& link, const Request& request, Now now);
  void on_del_host(LinkId id, Link& link, const Request& request, Now now);
  void on_subnet(LinkId id, Link& link, const Request& request, Now now);
  void on_req_host(LinkId id, Link& link, const Request& request, Now now);
  void on_own_host(LinkId id, Link& link, const SignedOrigin& origin, Now now);
  bool take_record(LinkId id, Link& link, const SignedOrigin& origin, bool with_way, Now now);
  void record_arrived(const NodeAddress& address, Now now);
  void told_way(LinkId id, Link& link, const NodeAddress& destination, const Distance& distance,
                Now now);
  void want_host(const NodeAddress& address, std::uint64_t min_seqno, LinkId ask, Now now);
  void tell_record(LinkId id, const SignedOrigin& origin);
  void tell_truth(LinkId id, Link& link, Now now);
  bool is_heard_of(const NodeAddress& address) const;
  void unheard(const NodeAddress& address);

  // engine_document.cpp
  bool use_document(std::string text, std::optional<LinkId> from, Now now);
  bool use_stored_document(Now now);
  void adopt_document(NetworkDocument document, Now now);
  void refuse_document(std::string_view counter, std::optional<LinkId> from, std::string why);
  bool refuse_protocol(LinkId id, std::uint64_t protocol, Now now);
  void tell_document(LinkId id);
  void on_document_told(LinkId id, const Request& request, Now now);
  void on_document_asked(LinkId id, const Request& request, Now now);
  void on_document_part(LinkId id, Link& link, const Request& request, Now now);
  void run_gossip(Now now);

  // engine_renewal.cpp
  void run_renewal(Now now);
  void on_enrolment(const key_link::Enrolment& message, Now now);
  void adopt_membership(const Membership& membership, const JudgedMembership& judged, Now now);
  void look_for_reissue();
  bool is_barred() const;
  void look_at_validity(Now now);
  void neighbour_renewed(const NodeAddress& address, Now now);
  void plan_redial(LinkId id, Now now);
  void run_redials(Now now);
  bool redial_failed(DialId dial, Now now);
  void retire_outdated(LinkId id, Now now);
  static bool outdates(const LinkUp& one, const LinkUp& other);
  Instant renewal_deadline() const;

  // engine_routes.cpp
  void perform(const RouterAction& action);
  void announce(const Announce& action);
  void retract(const Retract& action);
  void tell_ourselves(LinkId id, Link& link);
  void table_changed(const NodeAddress& destination);
  void neighbours_changed(const NodeAddress& neighbour);
  void on_req_seqno(LinkId id, const Request& request, Now now);
  void on_pong(LinkId id, const Request& request, Now now);
  void on_ready(const meta_link::Ready& message, Now now);
  void on_held_route(const meta_link::HeldRoute& message, Now now);
  void begin_table(bool kept, Now now);
  void on_link_state(const meta_link::LinkState& message, Now now);
  void on_carry(const meta_link::Carry& message, Now now);
  void unconfirm_health(Now now);
  void set_cost(const NodeAddress& neighbour, Now now);
  void start_deadlines(Now now);
  bool is_alive(const NodeAddress& neighbour) const;

  // engine_keys.cpp
  void on_req_key(LinkId id, Link& link, const Request& request, Now now);
  void on_ans_key(LinkId id, Link& link, const Request& request, Now now);
  void on_key_changed(LinkId id, Link& link, const Request& request, Now now);
  void key_changed(LinkId id, const NodeAddress& owner, std::uint64_t newest, Now now);
  void flood(const NodeAddress& subject, const NodeAddress& from, const Request& request);
  bool want_key(const NodeAddress& owner, std::uint64_t min_epoch, const Waiter& waiter,
                Instant start, Now now);
  void fetch(const NodeAddress& owner, Now now);
  void key_arrived(const NodeAddress& owner, Now now);
  void judge_name(const NodeAddress& owner);
  void give_up(const NodeAddress& owner);
  void send_answer(LinkId id, const std::string& owner, const std::string& requester, Bytes answer);

  // engine_lanes.cpp
  void on_own_record(const meta_link::OwnRecord& message, Now now);
  void on_want_owner(const meta_link::WantOwner& message, Now now);
  void on_want_key(const meta_link::WantKey& message, Now now);
  void on_origin(const key_link::Origin& message, Now now);
  LaneFeed::Message build(const LaneFeed::Key& key) const;
  bool has_session(const NodeAddress& address) const;
  bool may_keep_session(const NodeAddress& address);
  // What no honest cryptod says: counted, and named in the log.
  void refuse_cryptod(std::string_view counter, std::string rule);

  // engine_way.cpp
  void on_req_way(LinkId id, Link& link, const Request& request, Now now);
  void on_ans_way(LinkId id, Link& link, const Request& request, Now now);
  void control_way(ControlId id, Control& control, const Request& request, Now now);
  std::optional<LinkId> next_link(const NodeAddress& destination, const NodeAddress* but) const;
  WayHop own_hop(const NodeAddress* destination) const;

  // engine_rehearse.cpp
  struct Played;
  void rehearse(ControlId id, Control& control, std::string_view words, Now now);
  void act_by_hand(ControlId id, Control& control, std::string_view words, Now now);
  Engine copy_for_play(Random& random) const;
  Played play(const LinkId* link, std::string_view line, Now now);
  std::string describe(const Action& action) const;
  std::string describe(const LaneFeed::Message& message) const;

  // engine_control.cpp, engine_dump.cpp
  void trace(ControlId id, std::string_view whom);
  void know_names();
  void trace_out();
  std::optional<LinkId> link_named(std::string_view name_or_address) const;
  void trace_in(LinkId id, const Link& link, std::string_view line);
  void control_request(ControlId id, Control& control, std::string_view line, Now now);
  void say(ControlId id, std::string line) { out_.push_back(ControlLine{id, std::move(line)}); }
  void refuse(ControlId id, std::uint64_t number, std::string text);
  void help(ControlId id);
  void dump(ControlId id, Control& control, std::string_view what, Now now);
  // engine_why.cpp
  void on_why(const meta_link::Why& message, Now now);
  void why(ControlId id, Control& control, const std::string& name, Now now);
  void tell_why(ControlId id, const NodeAddress& address, const meta_link::Why* paths, Now now);
  void dump_status(ControlId id, Now now);
  void dump_peers(ControlId id);
  void dump_table(ControlId id, std::string_view what, Now now);
  void dump_links(ControlId id, Now now);
  // A neighbour whose direct path is in use, and that has stopped to answer probes on it.
  bool is_silent(const NodeAddress& address, const meta_link::PeerState& state) const;
  void dump_routes(ControlId id);
  void tell_probe(ControlId id, const NodeAddress& address, const meta_link::ProbeAnswer& answer);
  void probe(ControlId id, Control& control, const std::string& name, Now now);
  void control_key(ControlId id, Control& control, const Request& request, Now now);
  void ask_peers(Control& control, Query::Kind kind, Now now);
  void finish_query(ControlId id, Control& control, Now now);
  void control_deadlines(Now now);
  void serve_waiting_lines(Now now);

  Setup setup_;
  Random* random_;
  std::optional<Credential> credential_;
  TrustChain chain_;  // genesis and the document in force
  std::optional<NetworkDocument> document_;
  std::map<LinkId, Link> links_;
  NodeDb nodes_;
  Owners owners_;
  Router router_;
  DialPolicy dial_;
  KeyBroker broker_;
  KeyWants wants_;
  DocumentGossip gossip_;
  HostWants host_wants_;
  LaneFeed feed_;
  OwnOrigin own_;
  Renewal renewal_;
  Standing standing_;
  std::map<NodeAddress, Misfit> misfits_;
  std::map<LinkId, Redial> redials_;
  std::map<NodeAddress, Redialled> redialled_;
  std::map<LinkId, Instant> retiring_;  // when a link with outdated certificates is closed
  Bytes own_answer_;  // own record and credential; empty until cryptod gave the record
  std::uint64_t own_epoch_ = 0;
  std::deque<OwnWaiter> own_waiters_;
  std::map<NodeAddress, std::uint64_t> stale_;  // epochs of Stale messages not yet sent
  std::map<NodeAddress, meta_link::PeerState> sessions_;
  std::map<ControlId, Control> controls_;
  TraceTap trace_;
  WayTrace ways_;
  TokenBucket rehearsals_{4, 4};
  bool acting_ = false;  // ACT: what it does is traced when it leaves
  std::map<std::string, std::uint64_t, std::less<>> counters_;
  std::vector<meta_link::Counter> cryptod_counters_;
  bool cryptod_ = false, keyd_ = false, tapd_ = false;
  struct LinkHealth {
    meta_link::LinkState state;
    bool confirmed = false;  // by the cryptod that runs now
  };
  std::map<NodeAddress, LinkHealth> health_;  // data path to each neighbour
  std::uint64_t incarnation_ = 0;             // that ID tells; 0: not started
  std::uint64_t cryptod_incarnation_ = 0;     // that Ready told
  bool new_cryptod_ = false;                  // another one than we had before
  bool started_ = false;
  bool table_ = false;   // cryptod takes Route
  Instant table_due_{};  // no longer waited for HeldRoutesEnd
  Instant health_due_ = kNever;
  TokenBucket verifies_{500, 500};
  std::uint32_t next_query_ = 1;
  Instant house_{}, peers_due_ = kNever;
  std::string peers_text_;
  Actions out_;
};

}  // namespace wattle::metad
